import type { TreeView } from '../../tree/index.ts'

/** Writes the results of a diagnostics run beside its DiagnosticsState. Returns false when the run was cancelled. */
export function finishDiagnostics(view: TreeView, object: string): boolean {
  if (view.get(`${object}DiagnosticsState`) !== 'Requested') return false
  const put = (name: string, value: string) => {
    if (view.get(object + name) !== undefined) view.tree.put(view.toCanonical(object + name), value)
  }
  const unknownHost = view.get(`${object}Host`)?.endsWith('.invalid') === true
  const repetitions = view.get(`${object}NumberOfRepetitions`) ?? '1'
  put('SuccessCount', unknownHost ? '0' : repetitions)
  put('FailureCount', unknownHost ? repetitions : '0')
  put('AverageResponseTime', unknownHost ? '0' : '12')
  put('DiagnosticsState', unknownHost ? 'Error_CannotResolveHostName' : 'Complete')
  return true
}
