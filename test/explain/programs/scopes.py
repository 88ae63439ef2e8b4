def scope_test():
    spam = ["test"]
    def do_local():
        spam = ["local"]
    def do_nonlocal():
        nonlocal spam
        spam = ["nonlocal"]
    do_local()
    do_nonlocal()
    return spam

spam = ["global"]
kept = scope_test()
