const ROWS = /^(Device\.USPAgent\.(?:Controller|ControllerTrust\.Role|ControllerTrust\.Credential)\.)(\d+)\.(.*)$/
const CERTIFICATE = 'Device.USPAgent.Certificate.'

/**
 * A data model as text without the numbers of its rows: two that hold the same are equal. Certificates are left out,
 * because CWMP cannot delete them.
 */
export function canonical(values: ReadonlyMap<string, string>): string {
  const rows = new Map<string, string[]>()
  const lines: string[] = []
  for (const [path, value] of values) {
    if (path.startsWith(CERTIFICATE)) continue
    const row = ROWS.exec(path)
    if (row === null) {
      lines.push(`${path}=${value}`)
      continue
    }
    const [, table = '', number = '', name = ''] = row
    const key = `${table}${number}`
    const fields = rows.get(key) ?? [table]
    fields.push(`${name}=${value}`)
    rows.set(key, fields)
  }
  for (const fields of rows.values()) lines.push(fields.sort().join(' '))
  return lines.sort().join('\n')
}
