import { expect, it } from 'vitest'
import type { RouterRow } from '../../../src/routeros/index.ts'
import { ScriptedRouterOs } from '../../support/scripted-router-os.ts'

it('a scripted router answers commands and streams, and ends both', async () => {
  const router = new ScriptedRouterOs(({ path }) => (path === '/reboot' ? 'trap' : { rows: [{ name: 'r1' }] }))
  expect(await router.command({ path: '/system/identity/print' })).toEqual({ rows: [{ name: 'r1' }] })
  await expect(router.command({ path: '/reboot', writes: true })).rejects.toMatchObject({ kind: 'trap' })

  const rows: RouterRow[] = []
  const ends: unknown[] = []
  const events = { onRow: (row: RouterRow) => rows.push(row), onEnd: (error?: unknown) => ends.push(error) }
  const stream = router.stream({ path: '/interface/listen' }, events)
  router.stream({ path: '/ip/arp/listen' }, events)
  router.push('/interface/listen', { '.id': '*1' })
  await stream.stop()
  await router.close()
  expect(rows).toEqual([{ '.id': '*1' }])
  expect(ends).toEqual([undefined, expect.objectContaining({ kind: 'closed' })])
})
