import { describe, expect, it } from 'vitest'
import {
  isVendors,
  MAPPINGS,
  needsJoined,
  needsOwn,
  type ObjectMapping,
  readingsOf,
} from '../../../../src/bridge/mapping/index.ts'
import { menuAt } from '../../../../src/bridge/menus/table.ts'
import { loadModel, parsePath, splitLeaf } from '../../../../src/datamodel/index.ts'

const model = loadModel('tr181-usp')
const named = MAPPINGS.filter((mapping) => !isVendors(mapping)).map((mapping) => {
  const { source } = mapping
  return [
    `${mapping.object} of ${'menu' in source ? source.menu : Object.keys(source.readings).join(', ')}`,
    mapping,
  ] as const
})

/** Properties that a declaration names, each with the menu that has it. */
function propertiesOf({ source, joins = {}, table, parameters }: ObjectMapping): [string, string][] {
  const own = 'menu' in source ? source.menu : undefined
  const texts = [table?.key, table?.called, table?.parent, table?.where].flatMap((text) => text?.from ?? [])
  const found: [string, string][] = Object.values(joins).flatMap(({ menu, match }) => [
    ...(match === undefined ? [] : [[menu, match.theirs] as [string, string]]),
    ...(match === undefined || own === undefined ? [] : [[own, match.own] as [string, string]]),
  ])
  if ('readings' in source)
    for (const { menu, properties } of Object.values(source.readings))
      for (const property of properties) found.push([menu, property])
  if (own !== undefined) for (const property of texts) found.push([own, property])
  for (const parameter of Object.values(parameters)) {
    if (own !== undefined) for (const property of needsOwn(parameter)) found.push([own, property])
    for (const { join, property } of needsJoined(parameter))
      found.push([joins[join]?.menu ?? `no join ${join}`, property])
  }
  return found
}

describe.each(named)('%s', (_, mapping) => {
  it('has an object and parameters of TR-181, and writes only those that can be written', () => {
    const wrong = Object.entries(mapping.parameters).flatMap(([name, parameter]) => {
      const { object, leaf } = splitLeaf(mapping.object + name)
      const standard = model.objects.get(object)?.params.get(leaf)
      if (standard === undefined) return [`${object}${leaf} is not in the model`]
      return parameter.write !== undefined && standard.access === 'r' ? [`${object}${leaf} is read only`] : []
    })
    expect(wrong).toEqual([])
    expect(model.objects.get(mapping.object)?.table).toBe(mapping.table !== undefined)
  })

  it('refers to tables whose rows have names', () => {
    const targets = Object.values(mapping.parameters).flatMap(({ refers }) => refers ?? [])
    const nameless = targets.filter((schema) =>
      MAPPINGS.every(({ object, table }) => object !== schema || table?.called === undefined),
    )
    expect(nameless).toEqual([])
  })

  it('names menus and properties that the bridge may read', () => {
    const menus = readingsOf(mapping).map(({ menu }) => menu)
    expect([...menus, ...mapping.needs].filter((menu) => menuAt(menu) === undefined)).toEqual([])
    const wrong = propertiesOf(mapping).filter(
      ([menu, property]) => menuAt(menu)?.properties[property]?.secret !== false,
    )
    expect(wrong).toEqual([])
  })

  it('asks of menus with one row for the monitor only where there is one', () => {
    const monitored = readingsOf(mapping).filter(({ monitor }) => monitor !== undefined)
    expect(monitored.filter(({ menu }) => !('monitor' in (menuAt(menu)?.verbs ?? {})))).toEqual([])
  })
})

describe('raw values', () => {
  const raw = MAPPINGS.filter(isVendors)

  it('have paths, are read only, and name properties that the bridge may read', () => {
    expect(raw.length).toBeGreaterThan(30)
    for (const mapping of raw) {
      for (const [name, parameter] of Object.entries(mapping.parameters)) {
        expect(parsePath(mapping.object.replace('{i}', '1') + name).kind).toBe('parameter')
        expect(parameter.write).toBeUndefined()
      }
      const wrong = propertiesOf(mapping).filter(([menu, name]) => menuAt(menu)?.properties[name]?.secret !== false)
      expect(wrong).toEqual([])
    }
  })

  it('are of different paths', () => {
    const paths = raw.flatMap(({ object, parameters }) => Object.keys(parameters).map((name) => object + name))
    expect(new Set(paths).size).toBe(paths.length)
  })

  it('have secrets as parameters that need nothing of the router', () => {
    const profiles = raw.find(({ object }) => object.includes('interface-wireless-security-profiles'))
    expect(profiles?.parameters['wpa2-pre-shared-key']?.from).toEqual([])
    expect(profiles?.parameters['wpa2-pre-shared-key']?.read([], { now: 0 })).toBe('')
  })
})
