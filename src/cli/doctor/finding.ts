/** One thing that was looked at. `warning`: it works, and may not do for production. `problem`: it does not work. */
export interface Finding {
  about:
    | 'folder'
    | 'engine'
    | 'database'
    | 'clock'
    | 'ports'
    | 'files'
    | 'certificates'
    | 'addresses'
    | 'telemetry'
    | 'security'
  state: 'ok' | 'warning' | 'problem'
  /** The fact, and after a semicolon the thing to do. */
  text: string
}

/** Makes findings about one thing. */
export function finding(about: Finding['about']) {
  const make = (state: Finding['state']) => (text: string) => ({ about, state, text })
  return { ok: make('ok'), warning: make('warning'), problem: make('problem') }
}
