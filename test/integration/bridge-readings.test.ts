import { afterEach, describe, expect, it } from 'vitest'
import { checkValue, readsEmpty } from '../../src/datamodel/index.ts'
import { ROUTER_PROFILES, type RouterOptions } from '../../src/simulator/index.ts'
import { type EmulatedModel, emulatedModel } from '../support/emulated-model.ts'
import { readEverything } from '../support/read-everything.ts'

const open: EmulatedModel[] = []
afterEach(async () => {
  await Promise.all(open.splice(0).map((one) => one.stop()))
})
async function start(options: RouterOptions = {}): Promise<EmulatedModel> {
  const one = await emulatedModel(options)
  open.push(one)
  return one
}

describe.each(ROUTER_PROFILES)('all of a router %s', (profile) => {
  it('has values that TR-181 allows, and references to rows that are there', async () => {
    const { model } = await start({ profile })
    const supported = await model.supported()
    const { values, rows } = await readEverything(model)
    const wrong = [...values].flatMap(([path, value]) => {
      const parameter = supported.parameter(path)
      if (parameter === undefined) return [`${path} is not supported`]
      if (value === '' && readsEmpty(parameter)) return []
      const problem = checkValue(parameter, value)
      return problem === undefined ? [] : [`${path}: ${value} ${problem.text}`]
    })
    expect(wrong).toEqual([])
    const known = new Set(rows.map((row) => row.slice(0, -1)))
    const dangling = [...values].filter(
      ([path, value]) => /^Device\..*\.\d+$/.test(value) && !known.has(value) && !path.endsWith('Description'),
    )
    expect(dangling).toEqual([])
    expect(values.size).toBeGreaterThan(150)
  })
})
