import { execFile } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from 'node:fs'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { promisify } from 'node:util'
import { afterEach, beforeEach, expect, inject, it } from 'vitest'
import { ENGINE_CACHE } from '../support/global-setup.ts'
import { ServerProcess } from '../support/server-process.ts'

const MAIN = resolve(import.meta.dirname, '../../dist/src/cli/main.js')
let dataDir: string
let server: ServerProcess
beforeEach(() => {
  dataDir = mkdtempSync(join(tmpdir(), 'isthmus-keys-'))
  server = new ServerProcess(dataDir, [], { env: { MONGODB_URI: '', ISTHMUS_ENGINE_CACHE: ENGINE_CACHE } })
})
afterEach(async () => {
  await server.stop()
  rmSync(dataDir, { recursive: true, force: true })
})

async function isthmus(args: string[], env: NodeJS.ProcessEnv = {}, folder = dataDir): Promise<string> {
  const { stdout } = await promisify(execFile)(process.execPath, [MAIN, ...args, '--data-dir', folder], {
    env: { ...process.env, MONGODB_URI: '', ISTHMUS_ENGINE_CACHE: ENGINE_CACHE, ...env },
  })
  return stdout.trim()
}
const status = async (key: string) =>
  (await fetch(`http://127.0.0.1:${server.ports.apiPort}/api/v1/api-keys`, { headers: { 'x-api-key': key } })).status

it('the first key of a start that fails is not lost, and no log has it', async () => {
  const other = createServer().listen(0, '127.0.0.1')
  await once(other, 'listening')
  const { port } = other.address() as AddressInfo
  const blocked = new ServerProcess(dataDir, ['--api-port', String(port)], {
    env: { MONGODB_URI: '', ISTHMUS_ENGINE_CACHE: ENGINE_CACHE },
  })
  await expect(blocked.start()).rejects.toThrow('ended')
  other.close()
  await server.start()
  const file = join(dataDir, 'first-api-key')
  const key = readFileSync(file, 'utf8').trim()
  if (process.platform !== 'win32') expect(statSync(file).mode & 0o777).toBe(0o600)
  expect(await status(key)).toBe(200)
  const log = readFileSync(join(dataDir, 'server.log'), 'utf8')
  expect(log).toContain(`The first API key is in ${file}`)
  expect(log).not.toContain(key.split('_')[2])
})

it('keys are made, listed and revoked while the server runs and while it does not', async () => {
  await server.start()
  const made = await isthmus(['api-key', 'create', '--name', 'billing', '--scope', 'write'])
  expect(made).toMatch(/^isthmus_\w+_[\w-]+$/)
  expect(await status(made)).toBe(200)
  await server.stop()
  expect(existsSync(join(dataDir, 'database', 'engine.uri'))).toBe(false)
  const reader = await isthmus(['api-key', 'create', '--scope', 'read'])
  const first = server.key.split('_')[1] ?? ''
  await isthmus(['api-key', 'revoke', first])
  await expect(isthmus(['api-key', 'revoke', made.split('_')[1] ?? ''])).rejects.toThrow(/last key that may write/)
  await expect(isthmus(['api-key', 'revoke', 'nonsense'])).rejects.toThrow(/there is no API key nonsense/)
  const lines = (await isthmus(['api-key', 'list'])).split('\n')
  expect(lines).toHaveLength(3)
  expect(lines.find((line) => line.startsWith(first))).toMatch(/revoked .*first key/)
  expect(lines.find((line) => line.endsWith('billing'))).toMatch(/write .*valid/)
  await server.start()
  expect(await status(server.key)).toBe(401)
  expect(await status(reader)).toBe(403)
  const audit = await fetch(`http://127.0.0.1:${server.ports.apiPort}/api/v1/audit?limit=10`, {
    headers: { 'x-api-key': made },
  })
  const { items } = (await audit.json()) as { items: { actor: string; action: string }[] }
  expect(items.map(({ action }) => action)).toEqual(['apiKey.revoke', 'apiKey.create', 'apiKey.create'])
  for (const { actor } of items) expect(actor).toMatch(/^machine:/)
})

it('keys are made over a given MongoDB', async () => {
  const databaseName = `keys_${process.pid}_${Date.now()}`
  const env = { MONGODB_URI: inject('mongodbUri'), ISTHMUS_DATABASE_NAME: databaseName }
  const made = await isthmus(['api-key', 'create'], env)
  expect(await isthmus(['api-key', 'list'], env)).toContain(made.split('_')[1])
  expect(existsSync(join(dataDir, 'database'))).toBe(false)
})

it('no command on keys makes a database where there is none', async () => {
  for (const folder of [dataDir, join(dataDir, 'typo')])
    for (const args of [['create'], ['list'], ['revoke', 'any']])
      await expect(isthmus(['api-key', ...args], {}, folder)).rejects.toThrow(`data folder ${folder} has no database`)
  expect(readdirSync(dataDir)).toEqual([])
})

it('a name of a key has 1 to 100 characters', async () => {
  const env = { MONGODB_URI: inject('mongodbUri'), ISTHMUS_DATABASE_NAME: `names_${process.pid}_${Date.now()}` }
  for (const name of ['', 'x'.repeat(101)])
    await expect(isthmus(['api-key', 'create', '--name', name], env)).rejects.toThrow(/name .*1 to 100 characters/)
  expect(readdirSync(dataDir)).toEqual([])
})
