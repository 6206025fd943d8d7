import { describe, expect, it } from 'vitest'
import { AppError } from '../../../src/base/index.ts'
import { deviceIdOf, type Group, type GroupStore, type Plan, type Selector } from '../../../src/device/index.ts'
import { createGroups, groupSelector } from '../../../src/planner/index.ts'
import { createManualClock } from '../../support/manual-clock.ts'

function world(plans: Partial<Plan>[] = []) {
  const kept = new Map<string, Group>()
  const audit: string[] = []
  const counted: (Selector | undefined)[] = []
  const groups: GroupStore = {
    async put(group, expected) {
      if ((kept.get(group.id)?.revision ?? undefined) !== expected) throw new AppError('conflict', 'moved on')
      kept.set(group.id, structuredClone(group))
    },
    get: async (id) => kept.get(id),
    list: async () => ({ items: [...kept.values()] }),
    delete: async (id) => kept.delete(id),
    changeMembers: async (_id, add, remove) => add.length + remove.length,
  }
  let next = 0
  const room = createGroups({
    groups,
    devices: {
      count: async (selector) => {
        counted.push(selector)
        return 7
      },
    },
    plans: { listPlans: async () => ({ items: plans as Plan[] }) },
    audit: {
      append: async (entry) => void audit.push(`${entry.actor} ${entry.action} ${entry.target}`),
      list: async () => ({ items: [] }),
    },
    newId: () => `g${++next}`,
    clock: createManualClock(),
  })
  return { room, kept, audit, counted }
}

describe('groups', () => {
  it('select their static members, and what the selector matches, in one query', () => {
    expect(groupSelector({ id: 'g1' })).toEqual({ field: 'group', operator: '==', values: ['g1'] })
    expect(groupSelector({ id: 'g1', selector: 'manufacturer==Acme;softwareVersion=ge=1.10' })).toEqual({
      or: [
        { field: 'group', operator: '==', values: ['g1'] },
        {
          and: [
            { field: 'manufacturer', operator: '==', values: ['Acme'] },
            { field: 'softwareVersion', operator: '>=', values: ['1.10'] },
          ],
        },
      ],
    })
  })

  it('are created, changed under their revision and deleted, each with an audit entry', async () => {
    const { room, kept, audit } = world()
    const group = await room.create({ name: ' north ', selector: 'oui==0C96BF' }, 'me')
    expect(group).toMatchObject({ id: 'g1', name: 'north', revision: 1 })
    const changed = await room.update('g1', { selector: undefined, description: 'all' }, 1, 'me')
    expect(changed).toMatchObject({ revision: 2, description: 'all' })
    expect('selector' in changed).toBe(false)
    await expect(room.update('g1', { name: 'x' }, 1, 'me')).rejects.toMatchObject({ code: 'conflict' })
    await room.changeMembers('g1', [deviceIdOf({ oui: '0C96BF', productClass: '', serial: '1' })], [], 'me')
    expect(await room.count(changed)).toBe(7)
    await room.remove('g1', 'me')
    expect(kept.size).toBe(0)
    expect(audit).toEqual(['me group.create g1', 'me group.update g1', 'me group.members g1', 'me group.delete g1'])
    await expect(room.get('g1')).rejects.toMatchObject({ code: 'notFound' })
    await expect(room.remove('g1', 'me')).rejects.toMatchObject({ code: 'notFound' })
  })

  it.each([
    [{ name: '' }, /name/],
    [{ name: 'x'.repeat(101) }, /name/],
    [{ name: 'x', selector: 'colour==red' }, /unknown field/],
    [{ name: 'x', selector: 'oui==' }, /selector/],
    [{ name: 'x', selector: 'oui==1,group==g1' }, /belongs to/],
  ])('refuse %j', async (input, text) => {
    const { room, audit } = world()
    await expect(room.create(input, 'me')).rejects.toThrow(text)
    expect(audit).toEqual([])
  })

  it('stay while a plan moves them', async () => {
    const { room } = world([{ id: 'p1', groupId: 'g1', state: 'paused' }])
    await room.create({ name: 'north' }, 'me')
    await expect(room.remove('g1', 'me')).rejects.toMatchObject({ code: 'conflict' })
  })
})
