/** The build makes a text of it, made small (scripts/compile-dashboard.mjs). */
declare module '*.css' {
  const text: string;
  export default text;
}
