/** Returns the rooms of each floor in the table of ARCHITECTURE.md, the highest floor first. */
export function floorsOf(page: string): [number, string[]][]
/** Returns the picture of the house as SVG. */
export function houseSvg(floors: [number, string[]][]): string
