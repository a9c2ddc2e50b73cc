/**
 * One file for the two builds and for every test.
 * `vite build`: one ES module per door. `vite build --mode script`: the script-tag build, the global `Waymark`.
 * `vitest run`: the projects at the end.
 */
import './test/support/node-20.ts'
import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { playwright } from '@vitest/browser-playwright'
import { defineConfig, type TestProjectInlineConfiguration } from 'vitest/config'
import type { BrowserInstanceOption, BrowserProviderOption } from 'vitest/node'
import { type Engine, findEngine, playwrightOptions, requireEngine } from './test/support/browsers.ts'
import { bundleHostScript } from './test/support/host-script.ts'
import { webdriver } from './test/support/webdriver-provider.ts'

interface Manifest {
  exports: Record<string, string | { types: string; default: string }>
  dependencies: Record<string, string>
  peerDependencies: Record<string, string>
}
const manifest: Manifest = JSON.parse(readFileSync(new URL('package.json', import.meta.url), 'utf8'))
const at = (path: string) => fileURLToPath(new URL(path, import.meta.url))

/** `waymark/react` → the name of its door, `react`; the script-tag build has a pass of its own. */
const doorByExport = Object.entries(manifest.exports).flatMap(([path, target]) =>
  typeof target === 'string' || path === './script'
    ? []
    : [[path.replace(/^\./, 'waymark'), target.types.replace(/^\.\/dist\/(.+)\.d\.ts$/, '$1')] as const],
)
const packages = [...Object.keys(manifest.dependencies), ...Object.keys(manifest.peerDependencies)]

const modulesBuild = {
  target: 'es2022',
  sourcemap: true,
  minify: false,
  lib: {
    entry: Object.fromEntries(doorByExport.map(([, door]) => [door, at(`src/${door}.ts`)])),
    formats: ['es' as const],
  },
  rolldownOptions: {
    external: [/^node:/, ...packages.map((name) => new RegExp(`^${name}(/|$)`))],
    output: { chunkFileNames: 'chunks/[name]-[hash].js' },
  },
}

const scriptBuild = {
  target: 'es2022',
  sourcemap: true,
  emptyOutDir: false,
  lib: {
    entry: at('src/script.ts'),
    name: 'Waymark',
    formats: ['iife' as const],
    fileName: () => 'waymark.script.js',
  },
}

export default defineConfig(({ mode }) => ({
  build: mode === 'script' ? scriptBuild : modulesBuild,
  publicDir: false,
  define: {
    WAYMARK_HOST_SCRIPT: JSON.stringify(bundleHostScript()),
    ...(mode === 'script' && { 'process.env.NODE_ENV': '"production"' }),
  },
  resolve: {
    alias: doorByExport.map(([name, door]) => ({
      find: new RegExp(`^${name}$`),
      replacement: at(`src/${door}.ts`),
    })),
  },
  test: {
    api: { host: '127.0.0.1' },
    reporters: ['default', './test/support/nothing-skipped.ts'],
    projects: [
      // Long, so that a busy machine fails nothing: a test that hangs is found all the same.
      inNode('unit', ['test/unit/**/*.test.{ts,tsx}', 'test/conformance/**/*.test.ts'], {
        testTimeout: 30_000,
      }),
      inNode('package', ['test/package/**/*.test.ts'], {
        globalSetup: 'test/package/build-first.ts',
        testTimeout: 60_000,
      }),
      {
        extends: true,
        test: {
          name: 'types',
          include: [],
          typecheck: { enabled: true, only: true, include: ['test/types/**/*.test-d.{ts,tsx}'] },
        },
      },
      inBrowser('chromium'),
      inBrowser('firefox'),
      inBrowser('webkit'),
      inNode('journeys', ['test/journeys/**/*.test.ts'], alone(2)),
      inNode('faults', ['test/faults/**/*.test.ts'], alone(3)),
    ],
  },
}))

type ProjectOptions = NonNullable<TestProjectInlineConfiguration['test']>

function inNode(
  name: string,
  include: string[],
  options: ProjectOptions = {},
): TestProjectInlineConfiguration {
  return {
    extends: true,
    test: { name, include, environment: 'node', setupFiles: 'test/support/fail-on-console.ts', ...options },
  }
}

/** Whole browsers on on-disk profiles, one test file at a time, after every project of a lower group. */
function alone(groupOrder: number): ProjectOptions {
  return {
    globalSetup: 'test/support/display-setup.ts',
    fileParallelism: false,
    testTimeout: 180_000,
    hookTimeout: 60_000,
    sequence: { groupOrder },
  }
}

function inBrowser(engine: Engine): TestProjectInlineConfiguration {
  return {
    extends: true,
    test: {
      name: engine,
      include: ['test/browser/**/*.test.{ts,tsx}', 'test/conformance/**/*.test.ts'],
      exclude: ['**/*.node.test.ts'],
      setupFiles: 'test/support/fail-on-console.ts',
      sequence: { groupOrder: 1 },
      browser: {
        enabled: true,
        screenshotFailures: false,
        headless: !isWebDriven(engine),
        // Vitest shows its own page around the tests by default, but not under CI: here it is the same everywhere.
        ui: false,
        // Without that page it asks the provider for a viewport; over WebDriver the frame's own size is enough.
        commands: isWebDriven(engine) ? { __vitest_viewport: () => undefined } : {},
        provider: providerFor(engine),
        // One instance, named as its project: Vitest would call it `chromium (chromium)`.
        instances: [{ browser: engine, name: engine } as BrowserInstanceOption],
      },
    },
  }
}

/** Debian's WebKitGTK is out of Playwright's reach; its own download of WebKit is not. */
function isWebDriven(engine: Engine): boolean {
  return engine === 'webkit' && findEngine(engine)?.source !== 'playwright'
}

function providerFor(engine: Engine): BrowserProviderOption {
  if (isWebDriven(engine)) return webdriver()
  const found = process.env['VITEST'] === undefined ? findEngine(engine) : requireEngine(engine)
  return playwright({ launchOptions: playwrightOptions(engine, found) })
}
