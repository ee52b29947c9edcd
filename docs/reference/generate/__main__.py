"""Write the reference pages that are made from the code: `make generated`."""

from docs.reference.generate.pages import write_pages

if __name__ == "__main__":
    write_pages()
