import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { OwnControllers } from '../../../../src/bridge/agents/own-controllers.ts'
import { LocalModel } from '../../../../src/bridge/index.ts'

const ROW = 'Device.LocalAgent.Controller.1.'
const HOST = `${ROW}MTP.1.WebSocket.Host`
const controller = (endpointId: string, host: string) => ({ endpointId, host, port: 1, path: '/usp', tls: true })

let folder: string
let local: LocalModel
beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'isthmus-controllers-'))
  local = await LocalModel.open(join(folder, 'local.jsonl'), {})
})
afterEach(async () => {
  await local.close()
  rmSync(folder, { recursive: true, force: true })
})

const open = () => OwnControllers.open(local, folder)
const shown = async () => {
  const values = await local.get([`${ROW}EndpointID`, HOST])
  return [values.get(`${ROW}EndpointID`), values.get(HOST)]
}

it('makes the row of a Controller, also at an Agent that had none before, and brings it to another address', async () => {
  await (await open()).follow([])
  expect(await shown()).toEqual([undefined, undefined])
  const rows = await open()
  await rows.follow([controller('self::a', 'one')])
  expect(await shown()).toEqual(['self::a', 'one'])
  await rows.follow([controller('self::a', 'two')])
  expect(await shown()).toEqual(['self::a', 'two'])
})

it('makes a row that is there when the files are opened again', async () => {
  await (await open()).follow([controller('self::a', 'one')])
  await local.close()
  local = await LocalModel.open(join(folder, 'local.jsonl'), {})
  expect(await shown()).toEqual(['self::a', 'one'])
  expect(await local.instances('Device.LocalAgent.Controller.')).toEqual([ROW])
  expect(await local.instances(`${ROW}MTP.`)).toEqual([`${ROW}MTP.1.`])
  const enabled = `${ROW}MTP.1.WebSocket.EnableEncryption`
  expect((await local.get([enabled])).get(enabled)).toBe('true')
})

it('gives the row to a Controller with another Endpoint ID, which is not onboarded yet', async () => {
  await (await open()).follow([controller('self::a', 'one')])
  await local.put({ [`${ROW}OnBoardingComplete`]: 'true' })
  await (await open()).follow([controller('self::b', 'one')])
  expect(await shown()).toEqual(['self::b', 'one'])
  expect((await local.get([`${ROW}OnBoardingComplete`])).get(`${ROW}OnBoardingComplete`)).toBe('false')
})

it('does the rest after a kill between the row and the note of what was made', async () => {
  await (await open()).follow([controller('self::a', 'one')])
  // The row is another already, as far as it goes, and the note is the one before.
  await local.put({ [`${ROW}EndpointID`]: 'self::b' })
  await (await open()).follow([controller('self::b', 'two')])
  expect(await shown()).toEqual(['self::b', 'two'])
  await (await open()).follow([controller('self::c', 'two')])
  expect(await shown()).toEqual(['self::c', 'two'])
})

it('leaves a row alone that a Controller has deleted, or given to another one', async () => {
  const rows = await open()
  await rows.follow([controller('self::a', 'one')])
  await local.put({ [`${ROW}EndpointID`]: 'self::theirs' })
  await rows.follow([controller('self::b', 'two')])
  expect(await shown()).toEqual(['self::theirs', 'one'])
  await local.delete([ROW], 'test')
  await (await open()).follow([controller('self::b', 'two')])
  expect(await shown()).toEqual([undefined, undefined])
})

it('knows its row without a note, or with one that cannot be read, by the Controller that it names', async () => {
  await (await open()).follow([controller('self::a', 'one')])
  for (const [text, host] of [
    ['{', 'two'],
    ['7', 'three'],
  ] as const) {
    writeFileSync(join(folder, 'controllers.json'), text)
    await (await open()).follow([controller('self::a', host)])
    expect(await shown()).toEqual(['self::a', host])
  }
})
