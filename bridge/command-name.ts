/** How a person calls the bridge, in its folder: nothing is installed under a name of its own. */
export const commandName = 'npm start --';
