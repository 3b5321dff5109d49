"""What people wrote into an image file: ``exif``, ``iptc`` and ``xmp``, and the best of them."""
