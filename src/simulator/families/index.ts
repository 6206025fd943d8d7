import { CAMERA, MESH_AP, STB } from './at-home.ts'
import { AVM_DSL } from './avm.ts'
import { CT_COM_EPON } from './ct-com.ts'
import type { DeviceFamily } from './family.ts'
import { FIBERHOME_ONT } from './fiberhome.ts'
import { HUAWEI_ONT } from './huawei.ts'
import { MIKROTIK_V6, MIKROTIK_V7 } from './mikrotik.ts'
import { NOKIA_ONT } from './nokia.ts'
import { VSOL_ONT } from './realtek.ts'
import { TP_LINK_ROUTER } from './tp-link.ts'
import { ZTE_ONT } from './zte.ts'

export type { DeviceFamily } from './family.ts'
export { familyDevice } from './family-tree.ts'
export { type Home, homeOf } from './home.ts'
export { HomeLife } from './home-life.ts'
export { mikrotikSerial } from './mikrotik.ts'

/** Families of devices of the field, by the names of `--mix`. */
export const DEVICE_FAMILIES = {
  huaweiOnt: HUAWEI_ONT,
  zteOnt: ZTE_ONT,
  fiberhomeOnt: FIBERHOME_ONT,
  ctcomEpon: CT_COM_EPON,
  nokiaOnt: NOKIA_ONT,
  vsolOnt: VSOL_ONT,
  avmDsl: AVM_DSL,
  tplinkRouter: TP_LINK_ROUTER,
  meshAp: MESH_AP,
  stb: STB,
  camera: CAMERA,
  mikrotikV6: MIKROTIK_V6,
  mikrotikV7: MIKROTIK_V7,
} as const satisfies Record<string, DeviceFamily>

export type FamilyName = keyof typeof DEVICE_FAMILIES
export const FAMILY_NAMES: readonly FamilyName[] = Object.keys(DEVICE_FAMILIES).filter(isFamily)

function isFamily(name: string): name is FamilyName {
  return Object.hasOwn(DEVICE_FAMILIES, name)
}
