import { describe, expect, it } from 'vitest'
import {
  checkRow,
  FAMILIES,
  familyOf,
  loadModel,
  parsePath,
  TRANSFORMS,
  vendorRows,
  wlanLayout,
  writeQuirks,
} from '../../../../src/datamodel/index.ts'
import { expectedFacts, readTree, TREE_NAMES } from '../../../support/device-trees.ts'

const model = loadModel('tr181-cwmp')
const NOBODY = { family: undefined, models: [] }

describe('rows of vendors', () => {
  const rows = [...vendorRows(NOBODY), ...FAMILIES.flatMap((family) => family.rows)]

  it('can be used, each of them, and have a reason', () => {
    const problems = rows.flatMap((row) => checkRow(row, TRANSFORMS, model).map((problem) => ({ row, problem })))
    expect(problems).toEqual([])
    expect(rows.filter(({ evidence }) => evidence === undefined || evidence === '')).toEqual([])
    expect(rows.length).toBeGreaterThan(300)
  })

  it('name a family where their source is a parameter of a standard, unless all devices use it in that way', () => {
    const own = FAMILIES.flatMap(({ name, rows }) => rows.map((row) => ({ name, row })))
    for (const { name, row } of own) if (row.family !== undefined) expect(row.family).toBe(name)
    const standard = loadModel('tr098')
    const plain = own.filter(({ row }) => row.family === undefined && !row.from.includes('.X_'))
    expect(plain.filter(({ row }) => standard.parameter(row.from.replaceAll('{i}', '1')) !== undefined)).toEqual([])
  })

  it('name each pair of source and target once, for each family', () => {
    for (const { name } of FAMILIES) {
      const seen = new Map<string, string>()
      for (const row of vendorRows({ family: name, models: [] })) {
        const key = `${row.from} ${row.to}`
        expect(seen.get(key), `${name}: ${key}`).toBeUndefined()
        seen.set(key, row.from)
      }
    }
  })
})

describe('the family of a device', () => {
  it.each(TREE_NAMES)('%s', (name) => {
    const tree = readTree(name)
    expect(familyOf(tree.keys())).toBe(expectedFacts(name).family)
  })

  it.each(TREE_NAMES)('%s has it from its own names alone, not from its maker', (name) => {
    const tree = readTree(name)
    const maker = [...tree.keys()].find((path) => path.endsWith('.DeviceInfo.Manufacturer'))
    expect(maker).toBeDefined()
    const bare = [...tree.keys()].filter((path) => !path.includes('.X_'))
    expect(familyOf(bare)).toBeUndefined()
  })

  it('is the one of the WAN where other parts of the tree have other extensions', () => {
    const info = 'InternetGatewayDevice.DeviceInfo.X_ZTE-COM_'
    const wan = 'InternetGatewayDevice.WANDevice.1.X_CMCC_EponInterfaceConfig.'
    expect(familyOf([`${info}CpuUsed`, `${info}MemUsed`, `${wan}RXPower`])).toBe('cmcc')
    expect(familyOf([`${info}CpuUsed`])).toBe('zte')
    expect(familyOf([`${wan}X_ALU-COM_DownstreamMaxRate`])).toBe('cmcc')
  })

  it('is that of the maker where an operator has names in the same place', () => {
    const link = 'InternetGatewayDevice.WANDevice.1.WANConnectionDevice.1.X_CT-COM_WANGponLinkConfig.'
    const optics = 'InternetGatewayDevice.X_ALU_OntOpticalParam.RXPower'
    expect(familyOf([`${link}Mode`, `${link}VLANIDMark`, `${link}Enable`, optics])).toBe('nokia')
    expect(familyOf([`${link}Mode`])).toBe('ct-com')
  })

  it('is that of the longest prefix', () => {
    expect(familyOf(['InternetGatewayDevice.WANDevice.1.X_CATV_GponInterfaceConfig.RXPower'])).toBe('catv')
    expect(familyOf(['InternetGatewayDevice.X_ACME_Thing'])).toBeUndefined()
    expect(familyOf([])).toBeUndefined()
  })

  it('does not depend on the order of names, and has unique prefixes', () => {
    const prefixes = FAMILIES.flatMap((family) => family.prefixes)
    expect(new Set(prefixes).size).toBe(prefixes.length)
    expect(new Set(FAMILIES.map(({ name }) => name)).size).toBe(FAMILIES.length)
    for (const name of TREE_NAMES) {
      const paths = [...readTree(name).keys()]
      expect(familyOf(paths.reverse())).toBe(expectedFacts(name).family)
    }
  })
})

describe('rules for writes', () => {
  const all = FAMILIES.flatMap(({ name, quirks }) => [
    ...quirks.parameters.map((quirk) => ({ name, ...quirk })),
    ...quirks.objects.map((quirk) => ({ name, ...quirk })),
  ])

  it('match paths that can exist, and have a reason', () => {
    for (const { on, evidence } of all) {
      expect(evidence).not.toBe('')
      if (on === '*') continue
      const path = on.startsWith('*.') ? `InternetGatewayDevice.${on.slice(2)}` : on
      expect(parsePath(path), on).toMatchObject({ search: false })
    }
    for (const { quirks } of FAMILIES)
      for (const { on } of quirks.objects) expect(on.endsWith('{i}.'), `${on} is a table`).toBe(true)
  })

  it('are those of the family, and of the model in any case of letters', () => {
    const types = (models: string[]) =>
      writeQuirks({ family: 'huawei', models }).parameters.filter(({ type }) => type !== undefined)
    expect(types(['hg8145v5 '])).toHaveLength(1)
    expect(types(['HG8245H'])).toHaveLength(0)
    expect(writeQuirks(NOBODY)).toEqual({ parameters: [], objects: [] })
  })
})

describe('the layout of radio networks', () => {
  it('is that of the model before that of the family', () => {
    expect(wlanLayout({ family: 'realtek', models: ['V2802DAC'] })).toMatchObject({ '2.4GHz': [5], '5GHz': [1] })
    expect(wlanLayout({ family: 'realtek', models: ['Other'] })).toMatchObject({ '2.4GHz': [6, 7, 8, 9, 10] })
    expect(wlanLayout({ family: 'huawei', models: [] })?.['5GHz']).toEqual([5, 6, 7, 8])
    expect(wlanLayout(NOBODY)).toBeUndefined()
  })
})
