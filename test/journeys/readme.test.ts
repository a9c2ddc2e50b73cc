import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { expect, test } from 'vitest'
import { createProfile, openPage, removeProfile } from '../support/engines.ts'
import { servePage } from '../support/page-server.ts'

const readme = readFileSync(fileURLToPath(new URL('../../README.md', import.meta.url)), 'utf8')
const blocks = [...readme.matchAll(/^```(\w+)\n([\s\S]*?)^```$/gm)].map(([, language, text]) => ({
  language,
  text,
}))

test('the wizard README shows is 25 lines, and keeps what was typed over a killed browser', async () => {
  const code = blocks.find((block) => block.language === 'ts')!.text!
  const html = blocks.find((block) => block.language === 'html')!.text!
  const wizard = code
    .trim()
    .split('\n')
    .filter((line) => line.trim() !== '' && !line.startsWith('import'))
  expect(wizard.length).toBeLessThanOrEqual(26)

  const folder = mkdtempSync(join(tmpdir(), 'waymark-readme-'))
  const page = join(folder, 'page.ts')
  const script = join(folder, 'wizard.ts')
  writeFileSync(script, code)
  writeFileSync(
    page,
    `document.body.insertAdjacentHTML('afterbegin', ${JSON.stringify(html)})\nawait import('./wizard.ts')\n`,
  )
  const server = await servePage(page)
  const profileDir = createProfile('chromium')
  try {
    const first = await openPage('chromium', { profileDir })
    await first.page.goto(server.url)
    await first.page.getByRole('heading', { name: 'Your name' }).waitFor()
    await first.page.getByRole('textbox').pressSequentially('Ada')
    await first.page.getByText('Saved on this device', { exact: true }).waitFor()
    await first.page.getByRole('button', { name: 'Next' }).click()
    await first.page.getByRole('heading', { name: 'Your pet' }).waitFor()
    await first.page.getByRole('textbox').pressSequentially('Half a wo')
    await first.page.getByText('Saved on this device', { exact: true }).waitFor()
    await first.kill()

    const second = await openPage('chromium', { profileDir })
    await second.page.goto(server.url)
    await second.page.getByRole('heading', { name: 'Your pet' }).waitFor()
    expect(await second.page.getByRole('textbox').inputValue()).toBe('Half a wo')
    await second.page.getByRole('button', { name: 'Next' }).click()
    await second.page.getByRole('heading', { name: 'Ready to send' }).waitFor()
    await second.page.getByRole('button', { name: 'Next' }).click()
    await second.page.getByRole('heading', { name: 'Sent' }).waitFor()
    await second.kill()
  } finally {
    await server.close()
    removeProfile(profileDir)
    rmSync(folder, { recursive: true, force: true })
  }
})
