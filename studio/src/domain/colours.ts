// One colour a class, told apart on photos and on paper, in light and in dark.

const hues = [174, 32, 280, 210, 340, 96, 250, 50, 312, 132];

/** `at` is the place of the class in its dataset; -1 for none. */
export function hueOf(at: number): number | null {
  if (at < 0) return null;
  return ((hues[at % hues.length] ?? 0) + Math.floor(at / hues.length) * 17) % 360;
}

/** For drawing over a photo: light enough for dark ones, with a dark edge drawn below it. */
export function overPhoto(at: number): string {
  const hue = hueOf(at);
  return hue === null ? 'hsl(0 0% 86%)' : `hsl(${hue} 90% 62%)`;
}

export function rgbOf(at: number, dark: boolean): [number, number, number] {
  const hue = hueOf(at);
  if (hue === null) return dark ? [0.45, 0.5, 0.49] : [0.62, 0.66, 0.65];
  return fromHsl(hue, dark ? 0.62 : 0.68, dark ? 0.62 : 0.42);
}

export function cssOf(at: number, dark: boolean): string {
  return asCss(rgbOf(at, dark));
}

/** Of a part of numbers: the least are blue, the greatest red. `share` is in [0, 1]. */
export function rgbOfShare(share: number, dark: boolean): [number, number, number] {
  return fromHsl(230 * (1 - share), dark ? 0.62 : 0.68, dark ? 0.62 : 0.42);
}

export function cssOfShare(share: number, dark: boolean): string {
  return asCss(rgbOfShare(share, dark));
}

function asCss(rgb: [number, number, number]): string {
  return `rgb(${rgb.map((part) => Math.round(part * 255)).join(' ')})`;
}

function fromHsl(hue: number, saturation: number, lightness: number): [number, number, number] {
  const spread = saturation * Math.min(lightness, 1 - lightness);
  const part = (n: number): number => {
    const k = (n + hue / 30) % 12;
    return lightness - spread * Math.max(-1, Math.min(k - 3, 9 - k, 1));
  };
  return [part(0), part(8), part(4)];
}
