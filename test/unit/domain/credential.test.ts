import { describe, expect, it } from 'vitest'
import { answered, type CwmpCredential, confirmed, deviceIdOf, issued, released } from '../../../src/domain/index.ts'

const id = deviceIdOf({ oui: '00256D', productClass: 'Box', serial: '1' })
const login = (password: string) => ({ username: 'device', password })
const issue = (known: CwmpCredential | undefined, password: string) => issued(known, id, login(password), 1)
const passwords = ({ pending, earlier = [], replaced = [] }: CwmpCredential) => ({
  accepted: [...(pending === undefined ? [] : [pending]), ...earlier].map(({ password }) => password),
  replaced: replaced.map(({ password }) => password),
})

describe('pending credentials of a CPE', () => {
  it('are three at most: the newest, the oldest that was not answered for, and the latest before the newest', () => {
    let known = issue(undefined, 'p1')
    for (const next of ['p2', 'p3', 'p4', 'p5']) known = issue(known, next)
    expect(passwords(known)).toEqual({ accepted: ['p5', 'p1', 'p4'], replaced: ['p2', 'p3'] })
  })

  it('are one when the CPE has answered for the newest', () => {
    const known = answered(issue(issue(undefined, 'p1'), 'p2'), login('p2'), 2)
    expect(known.delivered).toBe(true)
    expect(passwords(known)).toEqual({ accepted: ['p2'], replaced: ['p1'] })
  })

  it('are not retired by an answer for one that is no longer the newest', () => {
    const known = issue(issue(undefined, 'p1'), 'p2')
    expect(answered(known, login('p1'), 2)).toBe(known)
  })

  it('are none when one was used, whichever it was', () => {
    const known = issue(issue(undefined, 'p1'), 'p2')
    for (const [used, other] of [
      ['p1', 'p2'],
      ['p2', 'p1'],
    ] as const) {
      const now = confirmed(known, login(used), 2)
      expect(now.current).toEqual(login(used))
      expect(passwords(now)).toEqual({ accepted: [], replaced: [other] })
    }
  })

  it('are joined by the own one of a CPE that is reset, until its successor is answered for', () => {
    const own: CwmpCredential = { deviceId: id, current: login('own'), updatedAt: 0 }
    const known = issue(released(own, 1), 'p1')
    expect(passwords(known)).toEqual({ accepted: ['p1', 'own'], replaced: [] })
    expect(passwords(answered(known, login('p1'), 2))).toEqual({ accepted: ['p1'], replaced: ['own'] })
  })

  it('that were replaced are remembered, the last four of them', () => {
    let known = issue(undefined, 'p0')
    for (let i = 1; i < 8; i++) known = answered(issue(known, `p${i}`), login(`p${i}`), i)
    expect(passwords(known)).toEqual({ accepted: ['p7'], replaced: ['p3', 'p4', 'p5', 'p6'] })
  })
})
