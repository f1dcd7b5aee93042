/*
 * planted-image.c - a fault as the image could have one, compiled as the image is. There is no
 * runtime to tell of it: it must be an instruction that traps.
 */
int planted_image(int by);

int planted_image(int by)
{
	return 1 << by;
}
