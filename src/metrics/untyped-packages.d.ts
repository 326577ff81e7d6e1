// Single files of packages whose types cover only the main entry. That of `natural` must not be imported:
// it prints, reads .env and loads database drivers.

declare module 'natural/lib/natural/distance/jaro-winkler_distance.js' {
  const jaroWinklerDistance: (a: string, b: string) => number;
  export default jaroWinklerDistance;
}

declare module 'natural/lib/natural/distance/dice_coefficient.js' {
  const diceCoefficient: (a: string, b: string) => number;
  export default diceCoefficient;
}

declare module 'wink-nlp/utilities/similarity.js' {
  export { default } from 'wink-nlp/utilities/similarity';
}
