"""One file and one template for each page; the app mounts the folder."""
