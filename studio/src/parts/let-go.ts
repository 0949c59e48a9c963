// Gives the keyboard back to the page after a click with the pointer, so that Enter and Space mean what the page says
// and do not press the same button or link again. Someone who walks with Tab keeps the focus.

export function letGo(event: MouseEvent): void {
  const byPointer = event.detail > 0;
  const focused = document.activeElement;
  if (byPointer && (focused instanceof HTMLButtonElement || focused instanceof HTMLAnchorElement)) focused.blur();
}
