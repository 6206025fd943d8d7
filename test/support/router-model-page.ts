import { isDerived, isVendors, MAPPINGS, type ObjectMapping, readingsOf } from '../../src/bridge/mapping/index.ts'
import { SupportedObjects } from '../../src/bridge/model/supported-objects.ts'
import { servedBy } from '../../src/bridge/served.ts'
import { loadModel } from '../../src/datamodel/index.ts'

const HEAD = `# MikroTik routers as TR-181

The objects and parameters that a bridge shows of a MikroTik router, and the menus of RouterOS that they come from. A router shows those whose menus it
has: what it lacks is not in its supported model. \`W\` is written, all others are read only. Keys and passwords read empty.

Rows keep their instance numbers by a natural key (the name by delivery of a port, a MAC address, the sign in the comment of a port forward), whatever
their place and \`.id\`. References are paths without the last dot.

Values for which TR-181 has no words are below \`Device.X_MIKROTIK_RouterOS.\`, read only: each menu that the bridge may read is an object named like it, with
\`-\` for \`/\`, and its properties are parameters (\`Device.X_MIKROTIK_RouterOS.interface-ethernet-poe.{i}.poe-priority\`).

This page is made from the mapping: \`npx vitest run test/unit/bridge/mapping/page.test.ts -u\`.
`

/** Returns the page of the parameters of a router that has every menu. */
export function routerModelPage(): string {
  const menus = new Set(MAPPINGS.flatMap((mapping) => readingsOf(mapping).map(({ menu }) => menu)))
  const facts = { version: '7', menus, refused: new Set<string>(), lacking: new Set<string>() }
  const supported = new SupportedObjects(
    loadModel('tr181-usp'),
    MAPPINGS,
    facts,
    servedBy(() => []),
  )
  const objects = new Map<string, ObjectMapping[]>()
  for (const mapping of MAPPINGS)
    if (!isVendors(mapping)) objects.set(mapping.object, [...(objects.get(mapping.object) ?? []), mapping])
  const sections = [...objects]
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([object, mappings]) => {
      const from = mappings.map((mapping) => `\`${menusOf(mapping).join('`, `')}\``).join('; or ')
      const grows = supported.object(object)?.access === 'w' ? ' Rows are added and deleted.' : ''
      const names = new Map<string, Set<string>>()
      for (const mapping of mappings)
        for (const [name, { from: properties }] of Object.entries(mapping.parameters)) {
          const texts = names.get(name) ?? new Set()
          names.set(name, texts)
          for (const property of properties) texts.add(propertyText(mapping, property))
        }
      const rows = [...names].map(([name, texts]) => {
        const writes = supported.parameter(object + name)?.access === 'r' ? '' : 'W'
        return `| ${name} | ${[...texts].join(', ')} | ${writes} |`
      })
      return `## ${object}\n\nFrom ${from === '``' ? 'the bridge itself' : from}.${grows}\n\n| parameter | properties | |\n| --- | --- | --- |\n${rows.join('\n')}\n`
    })
  return [HEAD, ...sections].join('\n')
}

function menusOf({ source }: ObjectMapping): string[] {
  const readings = isDerived(source) ? Object.values(source.readings) : [source]
  return [...new Set(readings.map(({ menu, monitor }) => (monitor === undefined ? menu : `${menu} monitor`)))]
}

/** A property as people look for it: that of another menu with the path of the menu. */
function propertyText({ joins = {} }: ObjectMapping, property: string): string {
  const [join = '', name] = property.split(':')
  if (name === undefined) return property
  const { menu = '', monitor } = joins[join] ?? {}
  return `${menu} ${monitor === undefined ? '' : 'monitor '}${name}`
}
