/* Which parameters the functions here take. __init__.py asks, so that it never calls an older build of them: an
   editable installation keeps its library when the checkout moves on. Raise both numbers when a signature changes. */
int streamseg_abi(void) { return 4; }
