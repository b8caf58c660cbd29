"""Running the building: a generated hospital whose patients are made by the models themselves."""
