import { expect, it } from 'vitest'
import { RouterOsError, type RouterReply } from '../../../src/routeros/index.ts'

it('an error of a router says what happened and what may have been done', () => {
  const trap = new RouterOsError('trap', 'no such item', { category: 0, all: ['no such item', 'no such command'] })
  expect(trap).toMatchObject({ name: 'RouterOsError', code: 'trap', kind: 'trap', category: 0, sent: true })
  expect(trap.all).toEqual(['no such item', 'no such command'])
  const closed = new RouterOsError('closed', 'the connection ended', { sent: false, cause: new Error('ECONNRESET') })
  expect(closed).toMatchObject({ kind: 'closed', sent: false, category: undefined, all: [] })
  expect(closed.cause).toBeInstanceOf(Error)
  const empty: RouterReply = { rows: [] }
  expect(empty.ret).toBeUndefined()
})
