import { appendFileSync, mkdtempSync, readFileSync, rmSync, statSync, truncateSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { silentLog } from '../../../src/base/index.ts'
import { NotifyFile, type OwedNotify } from '../../../src/usp/index.ts'

let dir: string
let path: string
let file: NotifyFile
beforeEach(async () => {
  dir = mkdtempSync(join(tmpdir(), 'isthmus-notifies-'))
  path = join(dir, 'deep', 'notifies')
  file = await NotifyFile.open(path, silentLog)
})
afterEach(async () => {
  await file.close()
  rmSync(dir, { recursive: true, force: true })
})

const owed = (msgId: string, text = ''): OwedNotify => ({
  msgId,
  controller: 'Device.LocalAgent.Controller.1.',
  subscription: 'Device.LocalAgent.Subscription.1.',
  notify: { subscription_id: 's', send_resp: true, value_change: { param_path: 'Device.A', param_value: text } },
})
const idsOf = async (agent: string, from = file) => (await from.storeOf(agent).load()).map(({ msgId }) => msgId)
/** The file as another process finds it. */
async function reopened(): Promise<NotifyFile> {
  await file.close()
  file = await NotifyFile.open(path, silentLog)
  return file
}

describe('the file of owed notifications', () => {
  it('keeps what each Agent owes, in order and once for each msg_id', async () => {
    const [a, b] = [file.storeOf('a'), file.storeOf('b')]
    await Promise.all([a.put(owed('1')), a.put(owed('2')), b.put(owed('1')), a.put(owed('3'))])
    await a.put(owed('2', 'again'))
    await a.remove('1')
    await a.remove('none')
    expect([await idsOf('a'), await idsOf('b'), await idsOf('c')]).toEqual([['2', '3'], ['1'], []])
    await reopened()
    expect([await idsOf('a'), await idsOf('b')]).toEqual([['2', '3'], ['1']])
    expect((await file.storeOf('a').load())[0]).toEqual(owed('2', 'again'))
  })

  it('is for its owner alone', () => {
    expect(statSync(path).mode & 0o777).toBe(0o600)
  })

  it('loses the line alone that was cut off, at any byte, and no other', async () => {
    await file.storeOf('a').put(owed('1'))
    const whole = readFileSync(path).length
    await file.storeOf('a').put(owed('2'))
    const size = readFileSync(path).length
    for (let end = size - 1; end >= whole; end -= 7) {
      truncateSync(path, end)
      await reopened()
      expect(await idsOf('a')).toEqual(['1'])
      await file.storeOf('a').put(owed('2'))
    }
  })

  it('reads on behind a line that is damaged', async () => {
    appendFileSync(path, '{"agent":"a","owed":\n\n{"agent":"a","owed":{"msgId":5}}\n')
    await file.storeOf('a').put(owed('1'))
    await reopened()
    expect(await idsOf('a')).toEqual(['1'])
  })

  it('is written anew when most of it is of no use, and loses nothing then', async () => {
    const store = file.storeOf('a')
    await store.put(owed('kept'))
    const text = 'x'.repeat(100_000)
    for (let i = 0; i < 30; i++) {
      await Promise.all([store.put(owed(`m${i}`, text)), file.storeOf('b').put(owed(`m${i}`))])
      await store.remove(`m${i}`)
    }
    expect(readFileSync(path).length).toBeLessThan(2_500_000)
    await reopened()
    expect(await idsOf('a')).toEqual(['kept'])
    expect(await idsOf('b')).toHaveLength(30)
  })

  it('that was removed keeps nothing more, and says so', async () => {
    rmSync(path)
    await expect(file.storeOf('a').put(owed('1'))).rejects.toThrow(/was removed/)
    expect(await idsOf('a')).toEqual([])
  })

  it('that is closed keeps nothing more, and says so', async () => {
    await file.close()
    await expect(file.storeOf('a').put(owed('1'))).rejects.toThrow('is closed')
  })

  it('that cannot be made is refused with its path', async () => {
    await expect(NotifyFile.open(join(path, 'no', 'folder'), silentLog)).rejects.toThrow(path)
  })
})
