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
