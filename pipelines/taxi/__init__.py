"""Chicago taxi trips: will the passenger tip more than a fifth of the fare?"""
