import { expect, it } from 'vitest'
import { probe, readCommand, readRow } from '../../../../src/bridge/model/read-command.ts'
import { RouterOsError } from '../../../../src/routeros/index.ts'
import { ScriptedRouterOs } from '../../../support/scripted-router-os.ts'

const PRINT = { path: '/ip/address/print', proplist: ['address'] }
const trap = (...all: string[]) => new RouterOsError('trap', all[0] ?? '', { all })

/** A router that answers with these errors, one after the other, then with a row. */
function failing(...errors: RouterOsError[]): ScriptedRouterOs {
  return new ScriptedRouterOs(() => {
    const error = errors.shift()
    if (error !== undefined) throw error
    return { rows: [{ address: '192.0.2.1/24' }] }
  })
}

it.each(['std failure: timeout (13)', 'action timed out - try again, if error continues contact support (13)'])(
  'a router that is busy (%s) is asked once more, and not a third time',
  async (text) => {
    expect((await readCommand(failing(trap(text)), PRINT)).rows).toHaveLength(1)
    const busy = failing(trap(text), trap(text), trap(text))
    await expect(readCommand(busy, PRINT)).rejects.toMatchObject({ code: 7003 })
    expect(busy.commands).toHaveLength(2)
  },
)

it('a missing right is 7006 and names the menu; a lost connection is 7003', async () => {
  await expect(readCommand(failing(trap('not enough permissions (9)')), PRINT)).rejects.toMatchObject({
    code: 7006,
    message: expect.stringContaining('/ip/address/print'),
  })
  await expect(readCommand(failing(new RouterOsError('closed', 'gone')), PRINT)).rejects.toMatchObject({ code: 7003 })
})

it('a row that is gone has no values', async () => {
  expect(await readRow(failing(trap('no such item')), PRINT)).toEqual([])
  await expect(readRow(failing(trap('failure')), PRINT)).rejects.toMatchObject({ code: 7003 })
})

it.each([
  ['there', undefined],
  ['absent', trap('no such command or directory (wifi)', 'no such command prefix')],
  ['absent', trap('no such command prefix')],
  ['absent', trap('error - contact MikroTik support and send a supout file (3)')],
  ['refused', trap('not enough permissions (9)')],
])('a menu is %s', async (answer, error) => {
  expect(await probe(failing(...(error === undefined ? [] : [error])), '/ip/address')).toBe(answer)
})

it('a router that does not answer a probe says nothing of its menus', async () => {
  await expect(probe(failing(new RouterOsError('timeout', 'late')), '/ip/address')).rejects.toMatchObject({
    code: 7003,
  })
})
