import type { CpeModel, ModelProblem, RootObject } from '../cwmp/index.ts'
import { isCommandLike, parentOf } from '../datamodel/index.ts'
import type { TreeView, WriteError } from '../tree/index.ts'

/** The device behind the values of its tree. */
interface ValuedDevice {
  /** Runs the command of a command-like parameter, which was set to `true` or to the argument of the command. */
  command(path: string, value: string): void
  /** Returns the reason why a command cannot take this value; undefined when it can. */
  refusesCommand(path: string, value: string): string | undefined
  /** Starts the diagnostics of an object, whose DiagnosticsState was set to Requested. */
  diagnose(object: string): void
}

const WRITE_CODES: Record<WriteError['kind'], number> = {
  unknown: 9005,
  notWritable: 9008,
  type: 9006,
  value: 9007,
  notTable: 9005,
  notCreatable: 9003,
  duplicateKey: 9003,
}

/** Returns the model of a simulated device for its CPE: its tree as CWMP shows it. */
export function treeCpeModel(view: TreeView, root: RootObject, device: ValuedDevice): CpeModel {
  const { tree, model } = view
  return {
    root,
    find(path) {
      if (!path.endsWith('.')) {
        const parameter = view.get(path) === undefined ? undefined : view.parameter(path)
        return parameter && { type: parameter.type, writable: parameter.access === 'w' }
      }
      // An object above a table without rows exists although nothing is below it.
      if (!view.hasObject(path) && view.objectsBelow(path).length === 0) return undefined
      return { type: '', writable: model.object(path)?.access === 'w' }
    },
    objects: (below) => [...objectsOf(view, below)],
    parameters: (below) => view.parametersBelow(below),
    get: (path) => view.get(path),
    check(path, value) {
      const error = view.check(path, value)
      if (error !== undefined) return problemOf(error)
      const refused = device.refusesCommand(path, value)
      return refused === undefined ? undefined : { code: 9007, text: refused }
    },
    set(values) {
      for (const { path, value } of values) {
        if (isCommandLike(view.parameter(path))) device.command(path, value)
        else view.write(path, value, 'acs')
        if (path.endsWith('.DiagnosticsState') && value === 'Requested') device.diagnose(parentOf(`${path}.`))
      }
    },
    add(table) {
      const added = view.add(table, 'acs')
      return 'kind' in added ? problemOf(added) : added
    },
    remove(row) {
      const error = view.remove(row, 'acs')
      return error && { code: error.kind === 'unknown' ? 9005 : 9003, text: error.text }
    },
    own: (path) => tree.raw(view.toCanonical(path)),
    put: (path, value, by) => tree.put(view.toCanonical(path), value, by),
    changes: (listener) =>
      tree.onChange(({ kind, path, value = '', by }) => {
        if (kind === 'value') listener({ path: view.fromCanonical(path), value, by })
      }),
  }
}

function problemOf({ kind, text }: WriteError): ModelProblem {
  return { code: WRITE_CODES[kind], text }
}

function objectsOf(view: TreeView, below: string): Set<string> {
  const found = new Set<string>()
  for (const path of view.objectsBelow(below)) {
    // The table between an object and its row is an object of its own.
    if (/\.\d+\.$/.test(path) && parentOf(path) !== below) found.add(parentOf(path))
    found.add(path)
  }
  for (const schema of view.tree.supported.keys()) {
    if (!schema.endsWith('.{i}.')) continue
    const table = view.fromCanonical(schema.slice(0, -4))
    if (!table.includes('{i}') && table.startsWith(below) && table !== below && view.isTable(table)) found.add(table)
  }
  return found
}
