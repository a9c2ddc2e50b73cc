/**
 * Checks the house against its floor plan. The plan is the table in `src/README.md`: rooms, floors, and the packages a
 * room may know; a line `Sideways, types only: `flow/` → `record/`.` lists what a floor may look at beside itself.
 * Pure: it takes the files as a map and returns what is wrong, in words.
 */
import { posix } from 'node:path'
import { parseSync } from 'oxc-parser'

export interface House {
  /** Every file under `src/`, by its path from there. */
  files: ReadonlyMap<string, string>
  manifest: {
    exports: Readonly<Record<string, unknown>>
    dependencies: Readonly<Record<string, string>>
    peerDependencies: Readonly<Record<string, string>>
  }
}

interface Room {
  floor: number
  packages: ReadonlySet<string>
}

export interface FloorPlan {
  rooms: ReadonlyMap<string, Room>
  /** `flow → record`: `flow` may import types from `record`, on its own floor. */
  sideways: ReadonlySet<string>
}

interface Import {
  specifier: string
  /** Leaves nothing behind at run time. */
  isType: boolean
}

interface Module {
  imports: Import[]
  findings: string[]
  isPureReExport: boolean
}

interface AstNode {
  type: string
  [key: string]: unknown
}

const forbiddenNames = /^(types?|utils?|helpers?|common|shared|misc|managers?)$/
const notCode = ['README.md', 'tsconfig.json']

export function readFloorPlan(readme: string): FloorPlan {
  const rooms = new Map<string, Room>()
  for (const [, name, floor, known] of readme.matchAll(
    /^\| *`([\w-]+)\/` *\| *(\d+) *\|[^|]*\|([^|]*)\|$/gm,
  )) {
    const packages = [...known!.matchAll(/`([^`]+)`/g)].map((match) => match[1]!)
    rooms.set(name!, { floor: Number(floor), packages: new Set(packages) })
  }
  const sideways = new Set<string>()
  for (const [, list] of readme.matchAll(/^Sideways, types only: (.+)$/gm)) {
    for (const [, from, to] of list!.matchAll(/`([\w-]+)\/` → `([\w-]+)\/`/g)) sideways.add(`${from} → ${to}`)
  }
  return { rooms, sideways }
}

export function checkFloorPlan({ files, manifest }: House): string[] {
  const plan = readFloorPlan(files.get('README.md') ?? '')
  const wrong: string[] = []
  if (plan.rooms.size === 0) wrong.push('README.md: no room in its table')
  const targetsByFile = new Map<string, string[]>()

  for (const [file, text] of files) {
    if (notCode.includes(file)) continue
    const say = (finding: string) => wrong.push(`${file}: ${finding}`)
    const room = roomOf(file)
    if (!/\.tsx?$/.test(file)) {
      say('is not a TypeScript module')
      continue
    }
    if (room !== undefined && !plan.rooms.has(room)) say(`${room}/ is not in the floor plan`)
    for (const name of file.replace(/\.tsx?$/, '').split('/')) {
      if (forbiddenNames.test(name)) say(`"${name}" names no subject`)
    }
    const module = readModule(file, text)
    module.findings.forEach(say)
    if (room === undefined && !module.isPureReExport) say('a door re-exports and does nothing else')
    if (room !== undefined && module.isPureReExport) say('a barrel inside a room')
    const targets: string[] = []
    for (const imported of module.imports) {
      if (imported.specifier.startsWith('.')) {
        const target = posix.join(posix.dirname(file), imported.specifier)
        if (!/\.tsx?$/.test(target)) say(`imports "${imported.specifier}" without its .ts extension`)
        else if (!files.has(target)) say(`imports "${imported.specifier}", which does not exist`)
        else {
          targets.push(target)
          const trespass = findTrespass(plan, file, target, imported.isType)
          if (trespass !== undefined) say(trespass)
        }
      } else {
        const trespass = findStranger(plan, manifest, room, imported.specifier)
        if (trespass !== undefined) say(trespass)
      }
    }
    targetsByFile.set(file, targets)
  }
  for (const cycle of findCycles(targetsByFile)) wrong.push(`cycle: ${cycle.join(' → ')}`)
  wrong.push(...findUnmatchedDoors(files, manifest.exports))
  return wrong
}

/** The room a file is in; a door is in none. */
function roomOf(file: string): string | undefined {
  return file.includes('/') ? file.slice(0, file.indexOf('/')) : undefined
}

function findTrespass(plan: FloorPlan, file: string, target: string, isType: boolean): string | undefined {
  const from = roomOf(file)
  const to = roomOf(target)
  if (from === undefined) return undefined
  if (to === undefined) return `${from}/ imports the door ${target}`
  if (from === to) return undefined
  const fromFloor = plan.rooms.get(from)?.floor
  const toFloor = plan.rooms.get(to)?.floor
  if (fromFloor === undefined || toFloor === undefined || toFloor < fromFloor) return undefined
  if (toFloor > fromFloor) return `imports upward: ${from}/ (${fromFloor}) → ${to}/ (${toFloor}), ${target}`
  if (isType && plan.sideways.has(`${from} → ${to}`)) return undefined
  return `imports sideways: ${from}/ → ${to}/ (both ${fromFloor}), ${target}`
}

function findStranger(
  plan: FloorPlan,
  manifest: House['manifest'],
  room: string | undefined,
  specifier: string,
): string | undefined {
  if (specifier.startsWith('node:')) return `imports ${specifier}: the library runs where there is no Node`
  const name = specifier
    .split('/')
    .slice(0, specifier.startsWith('@') ? 2 : 1)
    .join('/')
  if (room === undefined) return `a door imports the package ${name}`
  if (!plan.rooms.get(room)?.packages.has(name)) return `${room}/ may not know the package ${name}`
  if (name in manifest.dependencies || name in manifest.peerDependencies) return undefined
  return `imports ${name}, which is neither a dependency nor a peer`
}

function findUnmatchedDoors(files: House['files'], exports: House['manifest']['exports']): string[] {
  const doors = [...files.keys()].filter((file) => /^[^/]+\.tsx?$/.test(file))
  const exported = Object.keys(exports)
    .filter((path) => path !== './package.json')
    .map((path) => (path === '.' ? 'waymark.ts' : `${path.slice(2)}.ts`))
  return [
    ...doors.filter((door) => !exported.includes(door)).map((door) => `${door}: no export of package.json`),
    ...exported
      .filter((door) => !doors.includes(door))
      .map((door) => `package.json exports ${door}, which is no door`),
  ]
}

/** Reads a module's imports of every kind, types included, and what no module here may do. */
function readModule(file: string, text: string): Module {
  const { program, errors } = parseSync(file, text)
  const imports: Import[] = []
  const findings = errors.map((error) => `does not parse: ${error.message}`)
  const add = (source: unknown, isType: boolean) => {
    const specifier = (source as AstNode | undefined)?.['value']
    if (typeof specifier === 'string') imports.push({ specifier, isType })
    else findings.push('imports something this test cannot read')
  }
  const visit = (node: AstNode) => {
    switch (node.type) {
      case 'ImportDeclaration':
        add(node['source'], isTypeOnly(node, 'importKind'))
        break
      case 'ExportAllDeclaration':
        add(node['source'], node['exportKind'] === 'type')
        break
      case 'ExportNamedDeclaration':
        if (node['source'] !== null) add(node['source'], isTypeOnly(node, 'exportKind'))
        break
      case 'ImportExpression':
        add(node['source'], false)
        break
      case 'TSImportType':
        add(node['source'], true)
        break
      case 'TSExternalModuleReference':
        add(node['expression'], false)
        break
      case 'CallExpression':
        if (isNamed(node['callee'], 'require')) add((node['arguments'] as AstNode[])[0], false)
        break
      case 'NewExpression': {
        const [first, second] = node['arguments'] as AstNode[]
        // new Worker(new URL('./worker.ts', import.meta.url)): a bundler follows it as it follows an import.
        if (isNamed(node['callee'], 'URL') && second !== undefined && containsImportMeta(second))
          add(first, false)
        break
      }
      case 'ThrowStatement': {
        const thrown = node['argument'] as AstNode
        const isBare = /^(New|Call)Expression$/.test(thrown.type) && isNamed(thrown['callee'], 'Error')
        if (isBare) findings.push('throws a bare Error instead of a WaymarkError')
        break
      }
      case 'ExportDefaultDeclaration':
        findings.push('has a default export')
        break
      case 'ExportSpecifier':
        if ((node['exported'] as AstNode)['name'] === 'default') findings.push('has a default export')
        break
    }
    for (const child of childrenOf(node)) visit(child)
  }
  visit(program as unknown as AstNode)
  const body = program.body as unknown as AstNode[]
  return { imports, findings, isPureReExport: body.length > 0 && body.every(isReExport) }
}

function isReExport(node: AstNode): boolean {
  return (
    node.type === 'ExportAllDeclaration' ||
    (node.type === 'ExportNamedDeclaration' && node['source'] !== null)
  )
}

/** `import type { A }`, or every name in the braces marked `type`. */
function isTypeOnly(node: AstNode, key: 'importKind' | 'exportKind'): boolean {
  const specifiers = node['specifiers'] as AstNode[]
  return node[key] === 'type' || (specifiers.length > 0 && specifiers.every((one) => one[key] === 'type'))
}

function isNamed(node: unknown, name: string): boolean {
  const callee = node as AstNode | undefined
  return callee?.type === 'Identifier' && callee['name'] === name
}

function containsImportMeta(node: AstNode): boolean {
  return node.type === 'MetaProperty' || childrenOf(node).some(containsImportMeta)
}

function childrenOf(node: AstNode): AstNode[] {
  return Object.values(node)
    .flat()
    .filter((value): value is AstNode => typeof (value as AstNode | null)?.type === 'string')
}

/** One cycle for every file that can reach itself first, as a path that ends where it began. */
function findCycles(targetsByFile: ReadonlyMap<string, readonly string[]>): string[][] {
  const cycles: string[][] = []
  const done = new Set<string>()
  const walk = (file: string, path: readonly string[]) => {
    const start = path.indexOf(file)
    if (start >= 0) {
      cycles.push([...path.slice(start), file])
      return
    }
    if (done.has(file)) return
    for (const target of targetsByFile.get(file) ?? []) walk(target, [...path, file])
    done.add(file)
  }
  for (const file of targetsByFile.keys()) walk(file, [])
  return cycles
}
