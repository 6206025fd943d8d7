/** Address blocks of MikroTik; CPE with another manufacturer name still have one. */
const MIKROTIK = new Set(
  '000C42 085531 18FD74 2CC81B 488F5A 48A98A 4C5E0C 64D154 6C3B6B 744D28 789A18 B869F4 C4AD34 CC2DE0 D401C3 D4CA6D DC2C6E E48D8C F41E57'.split(
    ' ',
  ),
)

/** Returns true for a router of MikroTik, by its manufacturer or its OUI: RouterOS has no USP Agent of its own. */
export function isRouterOs({ manufacturer = '', oui = '' }: { manufacturer?: string; oui?: string }): boolean {
  return /mikrotik/i.test(manufacturer) || MIKROTIK.has(oui)
}

/**
 * The danger of what may be done on a router: L0 reads, L1 also changes that can be undone, L2 also those that interrupt
 * its service, L3 also those that may lose its configuration.
 */
export const ROUTER_POLICIES = ['L0', 'L1', 'L2', 'L3'] as const
export type RouterPolicy = (typeof ROUTER_POLICIES)[number]

/** The policy that an operator has set for a MikroTik router over CWMP. */
export interface DeviceRouterPolicy {
  /** L3 enables scripts of templates, and upgrades by a descriptor. */
  level: RouterPolicy
  /** Names of the installed packages, where no bridge reads them. */
  packages?: string[]
}

/** The architecture of a router as its TR-069 client and the API over a bridge show it, the first one first. */
export const ARCHITECTURE_PATHS = [
  'Device.DeviceInfo.X_MIKROTIK_ArchName',
  'Device.X_MIKROTIK_RouterOS.system-resource.architecture-name',
] as const
/** The table of packages of a router that a bridge reads. */
export const PACKAGE_TABLE = 'Device.X_MIKROTIK_RouterOS.system-package.'

/**
 * Returns the names of the installed packages by the values below PACKAGE_TABLE; undefined where there are none. A
 * package that is only offered, or switched off, is not installed.
 */
export function installedPackages(values: readonly { path: string; value: string }[]): string[] | undefined {
  const rows = new Map<string, Record<string, string>>()
  for (const { path, value } of values) {
    const [, row = '', name = ''] = /^(\d+)\.([a-z-]+)$/.exec(path.slice(PACKAGE_TABLE.length)) ?? []
    if (name !== '') rows.set(row, { ...rows.get(row), [name]: value })
  }
  const names = [...rows.values()].flatMap(({ name = '', disabled, available }) =>
    name === '' || disabled === 'true' || available === 'true' ? [] : [name],
  )
  return names.length === 0 ? undefined : names
}
