import { beforeAll, describe, expect, it } from 'vitest'
import { Access } from '../../src/usp/agent/access/access.ts'
import { Permission } from '../../src/usp/agent/access/permission.ts'
import { RequestRefused } from '../../src/usp/agent/request-refused.ts'
import { AgentRequests } from '../../src/usp/agent/requests.ts'
import { gatewayModel, settingsOf } from '../support/agent-world.ts'
import type { MemoryAgentModel } from '../support/memory-agent-model.ts'

const RUNS = 150
const BY = 'Device.LocalAgent.Controller.1.'

/** Numbers that look random, the same ones for the same seed. */
function numbers(seed: number): (below: number) => number {
  let state = seed * 2654435761 + 1
  return (below) => {
    state = (Math.imul(state ^ (state >>> 15), 2246822519) + 3266489917) >>> 0
    return state % below
  }
}

/** All parameters that a model has, with their values. */
async function contentOf(model: MemoryAgentModel): Promise<Map<string, string>> {
  const full = new Access([[permission(() => 0, 'Device.', 'rwxn')]])
  const requests = new AgentRequests(model, () => ({}))
  const { req_path_results } = await requests.get({ param_paths: ['Device.'], max_depth: 0 }, { by: BY, access: full })
  const objects = req_path_results.flatMap(({ resolved_path_results }) => resolved_path_results)
  return new Map(
    objects.flatMap(({ resolved_path, result_params }) =>
      Object.entries(result_params).map(([name, value]): [string, string] => [resolved_path + name, value]),
    ),
  )
}

function permission(any: (below: number) => number, target: string, column?: string): Permission {
  const rights = () => column ?? ['----', 'r---', '-w--', 'rw-n', 'rwxn'][any(5)] ?? '----'
  const columns = { Param: rights(), Obj: rights(), InstantiatedObj: rights(), CommandEvent: rights() }
  return new Permission({ Targets: target, Order: String(any(20)), ...columns }, [target])
}

describe('whatever its role, a Controller', () => {
  let content: Map<string, string>
  let paths: string[]
  beforeAll(async () => {
    content = await contentOf(await gatewayModel())
    paths = [...content.keys()]
  })

  /** A path of the model: an object above a parameter, a wildcard in it, or the parameter itself. */
  function target(any: (below: number) => number): string {
    const parts = (paths[any(paths.length)] ?? 'Device.').split('.')
    const cut = any(2) === 0 ? parts : [...parts.slice(0, 1 + any(parts.length - 1)), '']
    return cut.map((part) => (/^\d+$/.test(part) && any(2) === 0 ? '*' : part)).join('.')
  }
  const accessOf = (any: (below: number) => number) =>
    new Access([1, 2].map(() => Array.from({ length: 1 + any(5) }, () => permission(any, target(any)))))

  it('reads every parameter that it may read, and no other, by whichever path', async () => {
    const model = await gatewayModel()
    const requests = new AgentRequests(model, () => ({}))
    for (let seed = 0; seed < RUNS; seed++) {
      const any = numbers(seed)
      const access = accessOf(any)
      const param_paths = ['Device.', ...Array.from({ length: 5 }, () => target(any))]
      const { req_path_results } = await requests.get({ param_paths, max_depth: 0 }, { by: BY, access })
      const [all] = req_path_results.map(({ resolved_path_results }) =>
        resolved_path_results.flatMap(({ resolved_path, result_params }) =>
          Object.keys(result_params).map((name) => resolved_path + name),
        ),
      )
      expect(all?.sort(), `seed ${seed}`).toEqual(paths.filter((path) => access.mayRead(path)).sort())
      const others = req_path_results.slice(1).flatMap(({ resolved_path_results }) => resolved_path_results)
      for (const { resolved_path, result_params } of others)
        for (const name of Object.keys(result_params))
          expect(access.mayRead(resolved_path + name), `seed ${seed}: ${resolved_path}${name}`).toBe(true)
      const instances = await requests.instances(
        { obj_paths: param_paths, first_level_only: false },
        { by: BY, access },
      )
      for (const { instantiated_obj_path, unique_keys } of instances.req_path_results.flatMap(
        (one) => one.curr_insts,
      )) {
        expect(access.has('InstantiatedObj', 'r', instantiated_obj_path), `seed ${seed}`).toBe(true)
        for (const name of Object.keys(unique_keys)) expect(access.mayRead(instantiated_obj_path + name)).toBe(true)
      }
    }
  })

  it('changes no parameter that it may not write, and deletes no row', async () => {
    const model = await gatewayModel()
    const requests = new AgentRequests(model, () => ({}))
    let before = await contentOf(model)
    for (let seed = 0; seed < RUNS; seed++) {
      const any = numbers(seed + 10_000)
      const access = accessOf(any)
      const path = paths[any(paths.length)] ?? ''
      const dot = path.lastIndexOf('.') + 1
      const param_settings = settingsOf({ [path.slice(dot)]: any(2) === 0 ? 'true' : 'x' })
      const update_objs = [{ obj_path: path.slice(0, dot).replace(/\.\d+\./g, '.*.'), param_settings }]
      const requester = { by: BY, access }
      await requests.set({ allow_partial: any(2) === 0, update_objs }, requester).catch(refused)
      const rows = [target(any), target(any).replace(/[^.]*$/, '')]
      await requests.remove({ allow_partial: any(2) === 0, obj_paths: rows }, requester).catch(refused)
      const after = await contentOf(model)
      for (const [changed, value] of after)
        if (before.get(changed) !== value && !changed.endsWith('NumberOfEntries'))
          expect(access.has('Param', 'w', changed), `seed ${seed}: ${changed}`).toBe(true)
      for (const gone of [...before.keys()].filter((one) => !after.has(one))) {
        const row = [...gone.matchAll(/\.\d+\./g)].map((match) => gone.slice(0, match.index + match[0].length))
        expect(
          row.some((one) => access.has('InstantiatedObj', 'w', one)),
          `seed ${seed}: ${gone}`,
        ).toBe(true)
      }
      before = after
    }
  })
})

function refused(error: unknown): void {
  if (!(error instanceof RequestRefused)) throw error
}
