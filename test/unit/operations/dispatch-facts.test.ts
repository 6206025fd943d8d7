import { expect, it } from 'vitest'
import { silentLog } from '../../../src/base/index.ts'
import { asDeviceId, type Contact } from '../../../src/domain/index.ts'
import { Contacts } from '../../../src/operations/contacts.ts'
import { Dispatch } from '../../../src/operations/dispatch.ts'
import { News, Passes } from '../../../src/operations/passes.ts'
import { FollowUps } from '../../../src/operations/session-hold.ts'
import { createManualClock, settled } from '../../support/manual-clock.ts'

const ID = asDeviceId('00256D-Home-1')

it('a session stays for an operation that arrives while facts are read over it, however long that takes', async () => {
  const clock = createManualClock()
  const contacts = new Contacts(clock)
  const found: boolean[] = []
  const passes = new Passes(async (deviceId) => {
    // It reads the record and the queue first.
    await settled()
    found.push(contacts.usable(deviceId).has('cwmp'))
  })
  let answer = () => {}
  const factRefresh = {
    isOn: true,
    over: () =>
      new Promise<void>((resolve) => {
        answer = resolve
      }),
  }
  const dispatch = new Dispatch({
    ...{ contacts, passes, clock, log: silentLog, instance: 'one', limits: { quietMs: 10_000 } },
    ...{ news: new News(clock), followUps: new FollowUps(clock) },
    waker: { arrived: () => undefined } as never,
    factRefresh: factRefresh as never,
  })
  const contact: Contact = {
    ...{ deviceId: ID, protocol: 'cwmp', lasting: false, workKnown: false, factsDue: true },
    signal: new AbortController().signal,
    execute: () => Promise.reject(new Error('nothing is sent')),
  }
  const session = dispatch.contact(contact)
  await settled()
  clock.advance(60_000)
  passes.request(ID)
  await settled()
  expect(found).toEqual([])
  answer()
  await session
  expect(found).toEqual([true])
  expect(contacts.has(ID)).toBe(false)
})
