class Cell:
    __slots__ = ("content",)
    @property
    def twice(self):
        return [self.content, self.content]

content = ["c"]
cell = Cell()
cell.content = content
pair = cell.twice
cell.content = pair
pair = None
del cell
