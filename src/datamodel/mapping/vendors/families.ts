import type { ObjectQuirk, ParameterQuirk, WriteQuirks } from '../quirks/write-quirk.ts'
import type { MappingRow } from '../row.ts'
import { COMMON_ROWS } from './any-vendor.ts'
import { AVM } from './avm.ts'
import { CALIX } from './calix.ts'
import { CATV } from './catv.ts'
import { CMCC } from './cmcc.ts'
import { CT_COM } from './ct-com.ts'
import { CU } from './cu.ts'
import { CUDY } from './cudy.ts'
import { D_LINK } from './d-link.ts'
import type { VendorFamily, WlanLayout } from './family.ts'
import { FIBERHOME } from './fiberhome.ts'
import { HUAWEI } from './huawei.ts'
import { INTELBRAS } from './intelbras.ts'
import { MIKROTIK } from './mikrotik.ts'
import { NOKIA } from './nokia.ts'
import { REALTEK } from './realtek.ts'
import { SKYWORTH } from './skyworth.ts'
import { TENDA } from './tenda.ts'
import { TP_LINK } from './tp-link.ts'
import { ZTE } from './zte.ts'
import { ZYXEL } from './zyxel.ts'

/** All families; of two with as many names in a tree the first is the family of the device. */
export const FAMILIES: readonly VendorFamily[] = [
  HUAWEI,
  ZTE,
  FIBERHOME,
  NOKIA,
  INTELBRAS,
  REALTEK,
  TP_LINK,
  MIKROTIK,
  AVM,
  ZYXEL,
  TENDA,
  CATV,
  SKYWORTH,
  D_LINK,
  CUDY,
  CALIX,
  CMCC,
  CT_COM,
  CU,
]

/** The facts of a device on which rows and quirks depend. */
export interface DeviceKind {
  /** Name of the family, from {@link familyOf}. */
  family: string | undefined
  /** ModelName and ProductClass. */
  models: readonly string[]
}

/**
 * Returns the rows of vendors that hold for a device. Rows on names of an extension are those of every family: a device
 * may carry names of several, and has the row where it has the name. Rows of other families or models are left out.
 */
export function vendorRows(kind: DeviceKind): MappingRow[] {
  return [...COMMON_ROWS, ...FAMILIES.flatMap(({ rows }) => rows)].filter((row) => holdsFor(row, kind))
}

/** Returns true for a row that devices of this kind have. */
export function holdsFor(row: MappingRow, kind: DeviceKind): boolean {
  return (row.family === undefined || row.family === kind.family) && isOf(row, kind)
}

/** Returns the rules of the family and the model of a device for writes. */
export function writeQuirks(kind: DeviceKind): WriteQuirks {
  const own = familyNamed(kind.family)?.quirks
  const ofModel = (quirk: ParameterQuirk | ObjectQuirk) => isOf(quirk, kind)
  return {
    parameters: own?.parameters.filter(ofModel) ?? [],
    objects: own?.objects.filter(ofModel) ?? [],
  }
}

/** Returns the layout of the radio networks that the device's model has, else that of its family, if any. */
export function wlanLayout(kind: DeviceKind): WlanLayout | undefined {
  const layouts = familyNamed(kind.family)?.layouts ?? []
  return (
    layouts.find((layout) => layout.models !== undefined && isOf(layout, kind)) ??
    layouts.find(({ models }) => models === undefined)
  )
}

function familyNamed(name: string | undefined): VendorFamily | undefined {
  return FAMILIES.find((family) => family.name === name)
}

function isOf({ models }: { models?: readonly string[] }, kind: DeviceKind): boolean {
  if (models === undefined) return true
  const own = kind.models.map((model) => model.trim().toLowerCase())
  return models.some((model) => own.includes(model.toLowerCase()))
}
