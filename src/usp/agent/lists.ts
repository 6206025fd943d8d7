/** Splits a list of paths at its commas; a comma inside a search expression is not a separator. */
export function splitList(list: string): string[] {
  const items: string[] = []
  let depth = 0
  let start = 0
  for (let i = 0; i < list.length; i++) {
    if (list[i] === '[') depth++
    else if (list[i] === ']') depth--
    else if (list[i] === ',' && depth === 0) {
      items.push(list.slice(start, i))
      start = i + 1
    }
  }
  return [...items, list.slice(start)].map((item) => item.trim()).filter((text) => text !== '')
}
