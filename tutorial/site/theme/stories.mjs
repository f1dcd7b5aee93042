// The stories of the stepper in which SPIN has found what a missing guard leads to. Written by
// tests/model/stories: a change here does not last.
export const STORIES = {
	look: '5r 7w 3r',
	odd: '2w 5r 5w 3r',
	fence: '5r r:again 7w 2r',
	first: '5r w w:now w:last w:mult w:sec w:nsec 3r',
	release: '3w w:end 5r 4w 3r',
}
