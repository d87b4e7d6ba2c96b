import css from './style/later.css';

let sheet: CSSStyleSheet | undefined;

/** Puts on the looks of pages that come in files of their own: they come with them. */
export function wearLaterStyle(): void {
  if (sheet) return;
  sheet = new CSSStyleSheet();
  sheet.replaceSync(css);
  document.adoptedStyleSheets.push(sheet);
}
