/** Returns the last certificate of a chain: devices that trust it accept the renewed first one, too. */
export function issuerOf(chain: string): string {
  return /-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----\s*$/.exec(chain)?.[0] ?? chain
}
