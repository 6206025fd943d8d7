import { execFile } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { expect, it } from 'vitest'
import { OPTIONS, type OptionRow, variableOf } from '../../src/config/index.ts'

const MAIN = resolve(import.meta.dirname, '../../dist/src/cli/main.js')

/** Runs a command: its text, of both streams, and its exit code. */
function isthmus(...args: string[]): Promise<{ text: string; code: number }> {
  return isthmusWith({}, ...args)
}

/** The same with variables of its own. */
function isthmusWith(variables: NodeJS.ProcessEnv, ...args: string[]): Promise<{ text: string; code: number }> {
  const env = { ...process.env, COLUMNS: '400', ...variables }
  return new Promise((done) =>
    execFile(process.execPath, [MAIN, ...args], { env }, (error, stdout, stderr) =>
      done({ text: stdout + stderr, code: typeof error?.code === 'number' ? error.code : 0 }),
    ),
  )
}

it('the help of the server has every option with its default, its choices and its variable, in groups', async () => {
  const { text, code } = await isthmus('serve', '--help')
  expect(code).toBe(0)
  const flat = text.replace(/\s+/g, ' ')
  for (const row of OPTIONS as readonly OptionRow[]) {
    expect(flat).toContain(`${row.flag} <value>`)
    expect(flat).toContain(variableOf(row))
    if (row.default !== undefined) expect(flat).toContain(`default ${row.default}`)
    if (row.choices !== undefined) expect(flat).toContain(`one of ${row.choices.join(', ')}`)
  }
  for (const group of ['Storage', 'API', 'CWMP', 'USP', 'TLS', 'Limits and retention', 'Logging'])
    expect(text).toMatch(new RegExp(`^${group}:$`, 'm'))
})

it('the help of a bridge says that an empty default is none', async () => {
  const { text } = await isthmus('bridge', '--help')
  const flat = text.replace(/\s+/g, ' ')
  expect(flat).toContain('[default none; ISTHMUS_BRIDGE_FIRMWARE_HOSTS]')
  expect(flat).not.toContain('default ;')
})

it('an unknown command says which ones there are', async () => {
  const { text, code } = await isthmus('frob')
  expect(code).toBe(1)
  expect(text).toMatch(/unknown command 'frob'/)
  for (const name of ['serve', 'api-key', 'doctor', 'simulate', 'demo']) expect(text).toContain(name)
  expect((await isthmus('serv')).text).toContain('Did you mean serve?')
  expect((await isthmus('serve', '--api-prot', '1')).text).toMatch(/unknown option '--api-prot'[\s\S]*--api-port/)
})

it('the program alone shows its commands and starts nothing', async () => {
  const { text } = await isthmus()
  expect(text).toMatch(/^Usage: isthmus/)
  expect(text).toMatch(/serve .*run the server/)
})

it('a command on a folder that cannot be used says which option mends it', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'isthmus-help-'))
  try {
    const { text, code } = await isthmus('serve', '--tls-cert', join(folder, 'none'), '--tls-key', MAIN)
    expect(code).toBe(1)
    expect(text).toContain(`--tls-cert: there is no file ${join(folder, 'none')}`)
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
})

it('every command says a mistake of the configuration in one sentence, without a stack', {
  timeout: 120_000,
}, async () => {
  const runs: [NodeJS.ProcessEnv, string[], string][] = [
    [{ ISTHMUS_TLS_CERT: '/nope' }, ['doctor'], '--tls-cert: there is no file /nope'],
    [{}, ['serve', '--api-port', 'abc'], '--api-port'],
    [{ ISTHMUS_APIPORT: '3' }, ['alive'], 'ISTHMUS_APIPORT is not an option'],
    [{ ISTHMUS_APIPORT: '3' }, ['api-key', 'list'], 'ISTHMUS_APIPORT is not an option'],
    [{ MONGODB_URI: 'foo' }, ['api-key', 'create'], 'MONGODB_URI'],
    [{ MONGODB_URI: 'foo' }, ['api-key', 'revoke', 'any'], 'MONGODB_URI'],
  ]
  for (const [variables, args, said] of runs) {
    const { text, code } = await isthmusWith(variables, ...args)
    expect([args, code]).toEqual([args, 1])
    expect(text).toMatch(/^configuration:\n {2}/)
    expect(text).toContain(said)
    expect(text).not.toMatch(/^\s+at /m)
  }
})
