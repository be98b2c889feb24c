export function compiledSimulation(): URL;
