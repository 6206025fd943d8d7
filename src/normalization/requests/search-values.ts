import {
  fulfils,
  loadModel,
  parsePath,
  RawTree,
  type RawValue,
  referredObjects,
  type Segment,
} from '../../datamodel/index.ts'

/** Returns the object that a search path names before its first expression: what has to be read to resolve it. */
export function searchBase(path: string): string {
  const segments = parsePath(path).segments
  const first = segments.findIndex(({ kind }) => kind !== 'name' && kind !== 'instance')
  return segments
    .slice(0, first)
    .map((segment) =>
      segment.kind === 'name' ? `${segment.name}.` : segment.kind === 'instance' ? `${segment.instance}.` : '',
    )
    .join('')
}

/**
 * Returns the objects or parameters that a search path names among values (TR-369 2.5). A parameter without a value is
 * one that `hasOther` knows.
 */
export function searched(
  path: string,
  values: readonly RawValue[],
  hasOther: (parameter: string) => boolean = () => false,
): string[] {
  const tree = new RawTree(values)
  const { segments, kind } = parsePath(path)
  const last = segments.at(-1)
  const leaf = kind === 'object' || last?.kind !== 'name' ? '' : last.name
  let found = ['']
  for (const segment of kind === 'object' ? segments : segments.slice(0, -1))
    found = found.flatMap((object) => step(tree, object, segment))
  const paths = [...new Set(found)].map((object) => object + leaf)
  return leaf === '' ? paths : paths.filter((parameter) => tree.value(parameter) !== undefined || hasOther(parameter))
}

function step(tree: RawTree, object: string, segment: Segment): string[] {
  switch (segment.kind) {
    case 'name':
      return [`${object}${segment.name}.`]
    case 'instance':
      return [`${object}${segment.instance}.`]
    case 'wildcard':
      return rowsOf(tree, object)
    case 'search':
      return rowsOf(tree, object).filter((row) =>
        segment.terms.every((term) => fulfils(term, tree.value(row + term.path), typeOf(row + term.path))),
      )
    case 'follow':
      return referredObjects(tree.value(object + segment.name) ?? '', segment.item)
    case 'schema':
      return []
  }
}

function rowsOf(tree: RawTree, table: string): string[] {
  return tree.children(table).flatMap((name) => (/^\d+$/.test(name) ? `${table}${name}.` : []))
}

function typeOf(path: string): string {
  return loadModel('tr181-cwmp').parameter(path)?.type ?? 'string'
}
