// Marks by their shape. The server describes one object with every field that some shape has.

/**
 * What is marked on an example: areas in pixels of the picture, spans in Unicode scalar values, segments in seconds.
 * `suggested_by` is there where somebody accepted it: the id of the model that suggested it, or `marks` where the string was
 * marked before.
 */
export type Mark = { class: string | null; suggested_by?: string } & Shape;

export type Shape =
  | { shape: 'box'; x: number; y: number; width: number; height: number }
  | { shape: 'polygon'; points: [number, number][] }
  /** Row-major run lengths over the whole picture, beginning with unmarked pixels. */
  | { shape: 'brush'; width: number; height: number; runs: number[] }
  /** The end is one past the last. */
  | { shape: 'span'; start: number; end: number }
  | { shape: 'segment'; start: number; end: number };
