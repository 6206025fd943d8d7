import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { silentLog } from '../../../src/base/index.ts'
import { FileRows, type RouterRow } from '../../../src/bridge/index.ts'
import { createManualClock } from '../../support/manual-clock.ts'
import { until } from '../../support/until.ts'

let dir: string
let file: string
let rows: FileRows
let seen: (readonly RouterRow[])[]
let clock: ReturnType<typeof createManualClock>
let errors: unknown[]
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'isthmus-rows-'))
  file = join(dir, 'routers.csv')
  seen = []
  clock = createManualClock()
  // Its own: a look that a stop did not wait for says what it has to say to the test that began it.
  const own: unknown[] = []
  errors = own
  rows = new FileRows({
    file,
    controllers: [{ endpointId: 'proto::c', host: 'h', port: 1, path: '/usp', tls: true }],
    certificates: dir,
    clock,
    log: { ...silentLog, error: (fields) => void own.push(fields.reason) },
  })
})
afterEach(async () => {
  await rows.stop()
  rmSync(dir, { recursive: true, force: true })
})
const start = () => rows.start((all) => void seen.push(all))

it('gives the routers of a file, and those of its next contents', async () => {
  writeFileSync(file, 'address,username,password\n192.0.2.1,u,p\n192.0.2.2,u,p\n')
  await start()
  expect(seen).toEqual([
    [
      expect.objectContaining({ address: '192.0.2.1', revision: 1, login: { username: 'u', password: 'p' } }),
      expect.objectContaining({ address: '192.0.2.2', revision: 1 }),
    ],
  ])
  writeFileSync(file, 'address,username,password\n192.0.2.2,u,other\n192.0.2.3,u,p\n')
  await until(() => {
    clock.advance(5000)
    return seen.length === 2
  })
  expect(seen[1]).toEqual([
    expect.objectContaining({ address: '192.0.2.2', revision: 2 }),
    expect.objectContaining({ address: '192.0.2.3', revision: 1 }),
  ])
  expect(seen[1]?.[0]?.id).toBe(seen[0]?.[1]?.id)
})

it('keeps the routers when the file is wrong, and says once what is wrong', async () => {
  writeFileSync(file, 'address\n192.0.2.1\n')
  await start()
  const look = (count: number) => async () => {
    clock.advance(5000)
    return errors.length === count
  }
  writeFileSync(file, 'address\n192.0.2.1 x\n')
  await until(look(1))
  await until(look(1))
  rmSync(file)
  await until(look(2))
  expect(errors).toEqual([expect.stringMatching(/line 2: .*no address/), expect.stringMatching(/there is no file/)])
  expect(seen).toHaveLength(1)
})

it('does not begin with a file that is wrong', async () => {
  await expect(start()).rejects.toThrow(/there is no file/)
  writeFileSync(file, 'port\n1\n')
  await expect(start()).rejects.toThrow(/address is missing/)
})

it('takes the certificate of an Agent from the folder', async () => {
  writeFileSync(join(dir, 'os%3A%3A18FD74%2DA1.pem'), 'PEM')
  expect(await rows.proofOf('r', 'os::18FD74-A1')).toEqual({ certificate: 'PEM', key: 'PEM' })
  await expect(rows.proofOf('r', 'os::18FD74-B2')).rejects.toThrow(/put one at .*B2\.pem/)
})
