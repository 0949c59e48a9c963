// How heat maps are looked at, the same for each picture until the page is left.

class Heat {
  /** 0: the photo alone; 1: all of the heat map. */
  amount = $state(0.85);
  outlined = $state(true);
}

export const heat = new Heat();
