import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { AppError } from '../../../src/base/index.ts'
import { AgentCertificates } from '../../../src/bridge/enrolment/agent-certificates.ts'
import { createManualClock } from '../../support/manual-clock.ts'

const DAY_MS = 86_400_000
const EID = 'os::18FD74-A1'
let folder: string
let orders: string[][]
let answer: (routerId: string) => { refused: string } | undefined
let certificates: AgentCertificates
const clock = createManualClock(0)

function open(): AgentCertificates {
  return new AgentCertificates({
    folder,
    clock,
    order: async (routerIds) => {
      orders.push([...routerIds])
      const now = clock.now()
      const held = { notAfter: now + 90 * DAY_MS, renewAt: now + 60 * DAY_MS }
      return new Map(routerIds.map((id) => [id, answer(id) ?? { certificate: `${id} ${orders.length}`, ...held }]))
    },
  })
}
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'isthmus-certificates-'))
  orders = []
  answer = () => undefined
  certificates = open()
})
afterEach(() => {
  certificates.stop()
  rmSync(folder, { recursive: true, force: true })
})
const proofOf = async (id = 'r1', endpointId = EID) => (await certificates.proofOf(id, endpointId, 'KEY')).certificate

it('orders many together, and none that is there', async () => {
  const ids = Array.from({ length: 130 }, (_, i) => `r${i}`)
  await Promise.all(ids.map((id) => proofOf(id, `os::18FD74-${id}`)))
  expect(orders.map((ids) => ids.length)).toEqual([100, 30])
  expect(await proofOf('r7', 'os::18FD74-r7')).toBe('r7 1')
  certificates = open()
  expect(await proofOf('r7', 'os::18FD74-r7')).toBe('r7 1')
  expect(orders).toHaveLength(2)
})

it('orders another when two thirds have passed, and goes on with the first while there is none', async () => {
  expect(await proofOf()).toBe('r1 1')
  clock.advance(61 * DAY_MS)
  const away = () => {
    throw new AppError('unavailable', 'the server is away')
  }
  answer = away
  expect(await proofOf()).toBe('r1 1')
  answer = () => undefined
  expect(await proofOf()).toBe('r1 3')
  answer = away
  clock.advance(91 * DAY_MS)
  await expect(proofOf()).rejects.toThrow(/away/)
})

it('says why the server gives none', async () => {
  answer = () => ({ refused: 'another bridge speaks for it' })
  await expect(proofOf()).rejects.toMatchObject({ code: 'conflict', message: 'another bridge speaks for it' })
})

it('orders anew in place of a file that cannot be read', async () => {
  await proofOf()
  const [name = ''] = readdirSync(join(folder, 'certificates'))
  writeFileSync(join(folder, 'certificates', name), '{"certificate":')
  certificates = open()
  expect(await proofOf()).toBe('r1 2')
})
