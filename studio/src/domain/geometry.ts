// Where the cells of the gallery are: a constant number of them, whatever the number of examples.

export interface Layout {
  columns: number;
  cellWidth: number;
  cellHeight: number;
  rows: number;
  /** Height of the whole list, in CSS pixels. */
  height: number;
}

export interface LayoutWish {
  total: number;
  width: number;
  gap: number;
  /** Wanted width of a cell; null for one column of rows. */
  cell: number | null;
  rowHeight: (cellWidth: number) => number;
}

export function layOut({ total, width, gap, cell, rowHeight }: LayoutWish): Layout {
  const columns = cell === null ? 1 : Math.max(2, Math.floor((width + gap) / (cell + gap)));
  const cellWidth = Math.max(1, Math.floor((width - gap * (columns - 1)) / columns));
  const cellHeight = rowHeight(cellWidth);
  const rows = Math.ceil(total / columns);
  return { columns, cellWidth, cellHeight, rows, height: Math.max(0, rows * (cellHeight + gap) - gap) };
}

export interface Window {
  first: number;
  /** One past the last. */
  end: number;
}

/** Examples to draw at this scroll position, with some rows around for smooth scrolling. */
export function visible(layout: Layout, gap: number, top: number, viewHeight: number, total: number, around = 2): Window {
  const stride = layout.cellHeight + gap;
  const firstRow = Math.max(0, Math.floor(top / stride) - around);
  const endRow = Math.min(layout.rows, Math.ceil((top + viewHeight) / stride) + around);
  return { first: Math.min(total, firstRow * layout.columns), end: Math.min(total, Math.max(firstRow, endRow) * layout.columns) };
}

/** Number of cells that is enough at any scroll position. */
export function poolSize(layout: Layout, gap: number, viewHeight: number, around = 2): number {
  const stride = layout.cellHeight + gap;
  return (Math.ceil(viewHeight / stride) + 1 + 2 * around) * layout.columns;
}

/**
 * The example each cell of the pool shows. Example i always sits in cell i mod size, so a scroll by one row changes one
 * row of cells and leaves the others as they are. -1: nothing.
 */
export function slots(window: Window, size: number): number[] {
  const result = new Array<number>(size).fill(-1);
  for (let index = window.first; index < window.end; index += 1) result[index % size] = index;
  return result;
}

/** Where an arrow key leads from example `from`. */
export function step(from: number, key: string, columns: number, total: number, pageRows: number): number | null {
  const moves: Record<string, number> = {
    ArrowLeft: -1, ArrowRight: 1, ArrowUp: -columns, ArrowDown: columns, PageUp: -columns * pageRows, PageDown: columns * pageRows,
  };
  if (key === 'Home') return 0;
  if (key === 'End') return total - 1;
  const move = moves[key];
  if (move === undefined) return null;
  const to = from + move;
  if (key.startsWith('Page')) return Math.max(0, Math.min(total - 1, to));
  return to < 0 || to >= total ? from : to;
}
