/**
 * Commands that both roots have, as TR-181 names them and under InternetGatewayDevice. (TR-098 and its diagnostics).
 */
const EQUAL: readonly (readonly [string, string])[] = [
  ['Device.Reboot()', 'InternetGatewayDevice.Reboot()'],
  ['Device.FactoryReset()', 'InternetGatewayDevice.FactoryReset()'],
  ['Device.SelfTestDiagnostics()', 'InternetGatewayDevice.SelfTestDiagnostics()'],
  ['Device.IP.Diagnostics.IPPing()', 'InternetGatewayDevice.IPPingDiagnostics()'],
  ['Device.IP.Diagnostics.TraceRoute()', 'InternetGatewayDevice.TraceRouteDiagnostics()'],
  ['Device.IP.Diagnostics.DownloadDiagnostics()', 'InternetGatewayDevice.DownloadDiagnostics()'],
  ['Device.IP.Diagnostics.UploadDiagnostics()', 'InternetGatewayDevice.UploadDiagnostics()'],
  ['Device.DNS.Diagnostics.NSLookupDiagnostics()', 'InternetGatewayDevice.NSLookupDiagnostics()'],
]

/** The name of a command under a root. A command that has no equal under that root stays as it is. */
export function commandUnder(root: 'Device.' | 'InternetGatewayDevice.', command: string): string {
  const pair = EQUAL.find((names) => names.includes(command))
  return pair?.[root === 'Device.' ? 0 : 1] ?? command
}
