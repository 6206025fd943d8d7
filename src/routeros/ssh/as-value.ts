import type { RouterRow } from '../router-os.ts'

/** A property begins a piece: `address=192.0.2.1/24`. */
const PROPERTY = /^(\.?[a-z0-9][a-z0-9.-]{0,62})=(.*)$/s
const ROW_ID = /^\*[0-9A-F]{1,8}$/
/** Free text, in which a semicolon is one; elsewhere it stands between the items of a list. */
const TEXTS = new Set(['comment', 'name', 'host-name', 'message', 'ssid'])

/**
 * Reads the text of `:put [... print as-value]`: `.id=*1;name=ether1;.id=*2;name=ether2`. Each `.id` begins a row; a menu
 * without rows has one without. The text does not say where a value ends, so that a property which stands twice in one
 * row is left out of it: one of the two may be part of another value.
 */
export function readAsValue(text: string): RouterRow[] {
  const rows: RouterRow[] = []
  let row = new Map<string, string>()
  let doubled = new Set<string>()
  let last: string | undefined
  const end = (): void => {
    for (const name of doubled) row.delete(name)
    if (row.size > 0 || doubled.size > 0) rows.push(Object.fromEntries(row))
    row = new Map()
    doubled = new Set()
    last = undefined
  }
  for (const piece of text.split(';')) {
    const [, name, value = ''] = PROPERTY.exec(piece) ?? []
    if (name === undefined) {
      if (last === undefined) continue
      const before = row.get(last) ?? ''
      row.set(last, `${before}${TEXTS.has(last) ? ';' : ','}${piece}`)
      continue
    }
    if (name === '.id' && ROW_ID.test(value)) end()
    if (row.has(name)) doubled.add(name)
    row.set(name, value)
    last = name
  }
  end()
  return rows
}
