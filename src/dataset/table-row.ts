/** How the cells of a table's row become a row's JSON text: what stands in front of each cell, and behind the last. */
export interface RowLayout {
  readonly cells: readonly { readonly before: string; readonly column: number }[];
  readonly after: string;
}

/** The parts of a row whose fields may be columns: `item.question`. */
const PARTS = ['item', 'sample'];

/**
 * What the columns of a table mean: `item.NAME` and `sample.NAME` are fields of `item` and `sample`, where the name is all
 * that follows the first dot; any other column is a field of the row itself.
 *
 * @returns the layout, or what is wrong with the names: two columns that would be one field
 */
export const rowLayout = (names: readonly string[]): RowLayout | string => {
  const problem = conflict(names);
  if (problem !== undefined) return problem;
  const own: JsonPiece[][] = [];
  const parts = new Map(PARTS.map((part) => [part, [] as JsonPiece[][]]));
  names.forEach((name, column) => {
    const [part, field] = splitName(name);
    (parts.get(part) ?? own).push([`${JSON.stringify(field)}:`, column]);
  });
  const groups = [...parts].flatMap(([part, fields]) =>
    fields.length === 0 ? [] : [[`${JSON.stringify(part)}:`, ...jsonObject(fields)]],
  );
  return toLayout(jsonObject([...groups, ...own]));
};

/** JSON text, or the column whose value belongs there. */
type JsonPiece = string | number;

const jsonObject = (members: readonly JsonPiece[][]): JsonPiece[] => [
  '{',
  ...members.flatMap((member, index) => (index === 0 ? member : [',', ...member])),
  '}',
];

const toLayout = (pieces: readonly JsonPiece[]): RowLayout => {
  const cells: { before: string; column: number }[] = [];
  let text = '';
  for (const piece of pieces) {
    if (typeof piece === 'string') {
      text += piece;
      continue;
    }
    cells.push({ before: text, column: piece });
    text = '';
  }
  return { cells, after: text };
};

/** The part that a column belongs to, and its field there; a column of its own belongs to ''. */
const splitName = (name: string): readonly [part: string, field: string] => {
  const part = PARTS.find((candidate) => name.startsWith(`${candidate}.`));
  return part === undefined ? ['', name] : [part, name.slice(part.length + 1)];
};

/** Two columns of one name, or a column that is a part of the row and another that is a field of that part. */
const conflict = (names: readonly string[]): string | undefined => {
  const columns = new Map<string, number>();
  for (const [index, name] of names.entries()) {
    const earlier = columns.get(name);
    if (earlier !== undefined)
      return `columns ${earlier + 1} and ${index + 1} are both called ${JSON.stringify(name)}`;
    columns.set(name, index);
  }
  const field = names.find((name) => columns.has(splitName(name)[0]) && splitName(name)[0] !== '');
  if (field === undefined) return undefined;
  const [part] = splitName(field);
  return `there is a column ${JSON.stringify(part)} and one called ${JSON.stringify(field)}, which would be part of it`;
};
